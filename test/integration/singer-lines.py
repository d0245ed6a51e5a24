"""Reads a tap's catalog and messages with singer-python: singer-lines.py catalog|messages FILE. Prints what was in them as JSON."""

import collections
import json
import sys

import singer
from singer.catalog import Catalog
from singer import metadata


def catalog(path):
    loaded = Catalog.load(path)
    found = {}
    for entry in loaded.streams:
        entry.schema.to_dict()
        own = metadata.to_map(entry.metadata)
        automatic = sorted(key[1] for key, value in own.items() if value.get("inclusion") == "automatic")
        found[entry.tap_stream_id] = [entry.key_properties, entry.replication_method, automatic]
    return found


def messages(path):
    types = collections.Counter()
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            types[type(singer.parse_message(line)).__name__] += 1
    return types


print(json.dumps({"catalog": catalog, "messages": messages}[sys.argv[1]](sys.argv[2])))
