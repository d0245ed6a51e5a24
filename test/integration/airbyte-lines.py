"""Reads Airbyte messages with Airbyte's own models: airbyte-lines.py FILE [CATALOG CONFIG]. What does not fit ends it with its line.

Prints what was in them as JSON: counts by type, records and statuses by stream, the last state of each stream, the config of the last CONTROL.
"""

import collections
import json
import sys

from airbyte_protocol.models import AirbyteCatalog, AirbyteMessage, AirbyteStateBlob, ConfiguredAirbyteCatalog
from jsonschema import Draft7Validator, FormatChecker
from pydantic import BaseModel


def strangers(value, path=""):
    """Keys that the protocol does not have: the models let them pass."""
    if isinstance(value, AirbyteStateBlob):
        return
    if isinstance(value, BaseModel):
        if value.model_extra:
            raise ValueError(f"{path}: unknown {sorted(value.model_extra)}")
        for name in type(value).model_fields:
            strangers(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            strangers(item, path)


def checker(schema):
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema, format_checker=FormatChecker())


def main(path, catalog_path=None, config_path=None):
    validators = {}
    if catalog_path:
        with open(catalog_path, encoding="utf-8") as file:
            text = file.read()
        configured = ConfiguredAirbyteCatalog.model_validate_json(text, strict=True)
        validators = {one.stream.name: checker(one.stream.json_schema) for one in configured.streams}
    seen = {"types": collections.Counter(), "records": {}, "statuses": {}, "states": {}, "order": [], "errors": [], "since_state": {}}
    with open(path, "rb") as file:
        for number, raw in enumerate(file.read().split(b"\n")[:-1], 1):
            try:
                look(AirbyteMessage.model_validate_json(raw, strict=True), json.loads(raw), seen, validators, config_path)
            except Exception as error:
                print(f"line {number}: {error}\n{raw[:500]!r}", file=sys.stderr)
                sys.exit(1)
    print(json.dumps(seen))


def look(message, plain, seen, validators, config_path):
    strangers(message)
    kind = message.type.value
    seen["types"][kind] += 1
    if kind == "RECORD":
        stream, data = message.record.stream, message.record.data
        if stream in validators:
            validators[stream].validate(data)
        seen["records"].setdefault(stream, []).append(str(data.get("id")))
        seen["since_state"][stream] = seen["since_state"].get(stream, 0) + 1
    if kind == "STATE":
        stream = message.state.stream.stream_descriptor.name
        if message.state.sourceStats.recordCount != seen["since_state"].get(stream, 0):
            raise ValueError(f"recordCount of {stream} is not {seen['since_state'].get(stream, 0)}")
        seen["since_state"][stream] = 0
        seen["states"][stream] = plain["state"]
        seen["order"].append([stream, len(seen["records"].get(stream, []))])
    if kind == "TRACE" and message.trace.stream_status:
        status = message.trace.stream_status
        seen["statuses"].setdefault(status.stream_descriptor.name, []).append(status.status.value)
    if kind == "TRACE" and message.trace.error:
        seen["errors"].append([message.trace.error.failure_type.value, message.trace.error.message])
    if kind == "CATALOG":
        AirbyteCatalog.model_validate(plain["catalog"])
        for stream in message.catalog.streams:
            checker(stream.json_schema)
    if kind == "SPEC":
        validator = checker(message.spec.connectionSpecification)
        if config_path:
            with open(config_path, encoding="utf-8") as file:
                validator.validate(json.load(file))
    if kind == "CONNECTION_STATUS":
        seen["status"] = message.connectionStatus.status.value


main(*sys.argv[1:])
