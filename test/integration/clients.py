"""Clients that are not ours: requests (Digest), botocore (AWS Signature Version 4), pyspnego (NTLM).

Usage: python clients.py SCHEME REQUEST-JSON     prints the status of the answer
REQUEST: { "origin": where to connect, "host": what Host says, "method", "path", "body", and what the scheme needs }
"""

import base64
import http.client
import json
import re
import sys
from urllib.parse import urlsplit

scheme, request = sys.argv[1], json.loads(sys.argv[2])
method, path, body = request.get("method", "GET"), request["path"], request.get("body", "").encode()


def digest():
    import requests
    from requests.auth import HTTPDigestAuth

    auth = HTTPDigestAuth(request["username"], request["password"])
    url, headers = request["origin"] + path, {"Host": request["host"]}
    return requests.request(method, url, headers=headers, data=body or None, auth=auth, timeout=10).status_code


def sigv4():
    from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    in_query, s3 = request.get("placement") == "query", request["service"] == "s3"
    signer = {
        (False, False): SigV4Auth,
        (False, True): S3SigV4Auth,
        (True, False): SigV4QueryAuth,
        (True, True): S3SigV4QueryAuth,
    }[in_query, s3]
    headers = {"Content-Type": "application/json"} if body else {}
    signed = AWSRequest(method=method, url="https://" + request["host"] + path, headers=headers, data=body)
    credentials = Credentials(request["access_key_id"], request["secret_access_key"], request.get("session_token"))
    signer(credentials, request["service"], request["region"]).add_auth(signed)
    prepared = signed.prepare()
    target = urlsplit(prepared.url)
    return send({**dict(prepared.headers), "Host": request["host"]}, f"{target.path}?{target.query}" if target.query else target.path)


def ntlm():
    import spnego

    options = spnego.NegotiateOptions.use_ntlm
    context = spnego.client(request["username"], request["password"], protocol="ntlm", options=options)
    connection = http.client.HTTPConnection(urlsplit(request["origin"]).netloc, timeout=10)
    challenge = None
    while True:
        token = base64.b64encode(context.step(challenge)).decode()
        connection.request(method, path, body, {"Host": request["host"], "Authorization": "NTLM " + token})
        answer = connection.getresponse()
        answer.read()
        # A server may offer other schemes beside it.
        reply = re.search(r"\bNTLM ([A-Za-z0-9+/=]+)", answer.getheader("WWW-Authenticate", ""))
        if answer.status != 401 or reply is None or context.complete:
            return answer.status
        challenge = base64.b64decode(reply[1])


def send(headers, target):
    connection = http.client.HTTPConnection(urlsplit(request["origin"]).netloc, timeout=10)
    connection.request(method, target, body, {name: text if isinstance(text, str) else text.decode() for name, text in headers.items()})
    return connection.getresponse().status


print({"digest": digest, "sigv4": sigv4, "ntlm": ntlm}[scheme]())
