"""A server that lets in by NTLM over HTTP (MS-NTHT), with pyspnego as the acceptor: a program that is not ours.

Usage: NTLM_USER_FILE=users python ntlm-acceptor.py [port]     (users: lines DOMAIN:USER:PASSWORD)
Prints the port it listens on, at 127.0.0.1; port 0, the default, takes a free one. Answers 200 {"user": ...} or 401.
The handshake belongs to the TCP connection, as the protocol has it: one handler object lives as long as its connection.
"""

import base64
import binascii
import http.server
import json
import sys

import spnego
from spnego.exceptions import SpnegoError


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    context = None
    user = None

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.upper() == "NTLM":
            self.handshake(token)
        elif self.user is not None:
            self.answer(200, {"user": self.user})
        else:
            self.refuse()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def handshake(self, token):
        self.user = None
        try:
            message = base64.b64decode(token, validate=True)
            if message[8:12] == b"\x01\0\0\0":
                # use_ntlm: the library's own NTLM in Python, whatever the system has.
                self.context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
            if self.context is None:
                return self.refuse()
            reply = self.context.step(message)
        except (SpnegoError, ValueError, binascii.Error) as error:
            print("refused:", error, file=sys.stderr, flush=True)
            self.context = None
            return self.refuse()
        if not self.context.complete:
            return self.refuse(base64.b64encode(reply).decode())
        self.user, self.context = self.context.client_principal, None
        return self.answer(200, {"user": self.user})

    def refuse(self, reply=None):
        self.answer(401, {"error": "unauthorized"}, f"NTLM {reply}" if reply else "NTLM")

    def answer(self, status, body, challenge=None):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
