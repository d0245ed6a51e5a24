"""The three streams as a tap of the Singer SDK."""

from datetime import date, timedelta

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseOffsetPaginator

SCHEMA = th.PropertiesList(
    th.Property("id", th.IntegerType),
    th.Property("name", th.StringType),
    th.Property("status", th.StringType),
    th.Property("price", th.NumberType),
    th.Property(
        "owner",
        th.ObjectType(th.Property("id", th.IntegerType), th.Property("name", th.StringType), th.Property("email", th.StringType)),
    ),
    th.Property("tags", th.ArrayType(th.StringType)),
    th.Property("updated_at", th.DateTimeType),
    th.Property("note", th.StringType),
    th.Property("order", th.IntegerType),
    th.Property("created", th.DateTimeType),
).to_dict()


class PeersStream(RESTStream):
    primary_keys = ("id",)
    schema = SCHEMA

    @property
    def url_base(self):
        return self.config["site"]

    @property
    def authenticator(self):
        return BearerTokenAuthenticator(token=self.config["token"])


class ByOffset(BaseOffsetPaginator):
    def has_more(self, response):
        return self.current_value + 100 < response.json()["total"]


class Items(PeersStream):
    name = "items"
    path = "/items"
    records_jsonpath = "$.data[*]"

    def get_new_paginator(self):
        return ByOffset(start_value=0, page_size=100)

    def get_url_params(self, context, next_page_token):
        return {"offset": next_page_token or 0, "limit": 100}


class Orders(PeersStream):
    name = "orders"
    path = "/orders"
    records_jsonpath = "$.orders[*]"
    next_page_token_jsonpath = "$.next"

    def get_url_params(self, context, next_page_token):
        return {"limit": 100, **({"cursor": next_page_token} if next_page_token else {})}

    def get_child_context(self, record, context):
        return {"order_id": record["id"]}


class Lines(PeersStream):
    name = "lines"
    path = "/orders/{order_id}/lines"
    records_jsonpath = "$.lines[*]"
    parent_stream_type = Orders
    state_partitioning_keys = ()


class Events(Items):
    name = "events"
    path = "/events"
    records_jsonpath = "$.events[*]"
    replication_key = "created"

    def get_records(self, context):
        day = date.fromisoformat(str(self.get_starting_replication_key_value(context))[:10])
        while day < date.today():
            yield from super().get_records({"from": str(day), "to": str(day + timedelta(1))})
            day += timedelta(1)

    def get_url_params(self, context, next_page_token):
        return {**super().get_url_params(context, next_page_token), **context}


class TapPeers(Tap):
    name = "tap-peers"
    config_jsonschema = th.PropertiesList(
        th.Property("site", th.StringType, required=True),
        th.Property("token", th.StringType, required=True, secret=True),
        th.Property("start_date", th.DateType, required=True),
    ).to_dict()

    def discover_streams(self):
        return [Items(self), Orders(self), Lines(self), Events(self)]


TapPeers.cli()
