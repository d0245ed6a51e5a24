"""The three streams in dlt's rest_api, into a folder of JSON lines: dlt_read.py SITE TOKEN START FOLDER STREAM..."""

import sys
from datetime import date, timedelta

import dlt
from dlt.sources.rest_api import rest_api_source

site, token, start, folder, *streams = sys.argv[1:]


@dlt.resource(selected=False)
def days():
    """rest_api asks once from the last value to the next; a request a day takes a parent with the days."""
    day = date.fromisoformat(start)
    while day < date.today():
        yield [{"start": str(day), "end": str(day + timedelta(1))}]
        day += timedelta(1)


by_offset = {"type": "offset", "limit": 100, "total_path": "total"}
source = rest_api_source({
    "client": {"base_url": site, "auth": {"type": "bearer", "token": token}},
    "resource_defaults": {"primary_key": "id", "write_disposition": "append"},
    "resources": [
        {"name": "items", "endpoint": {"path": "items", "data_selector": "data", "paginator": by_offset}},
        {
            "name": "orders",
            "endpoint": {
                "path": "orders",
                "params": {"limit": 100},
                "data_selector": "orders",
                "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"},
            },
        },
        {
            "name": "lines",
            "endpoint": {"path": "orders/{resources.orders.id}/lines", "data_selector": "lines", "paginator": "single_page"},
        },
        days,
        {
            "name": "events",
            "endpoint": {
                "path": "events",
                "params": {"from": "{resources.days.start}", "to": "{resources.days.end}"},
                "data_selector": "events",
                "paginator": by_offset,
            },
        },
    ],
})

pipeline = dlt.pipeline(
    "peers",
    pipelines_dir=f"{folder}/work",
    destination=dlt.destinations.filesystem(bucket_url=f"file://{folder}"),
    dataset_name="out",
)
pipeline.run(source.with_resources(*streams), loader_file_format="jsonl")
