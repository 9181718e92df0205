"""The requests that the benchmarks send, each made once: all of its bytes."""
import json

from support.raw_http import request_bytes


def event(size):
    """JSON of so many bytes, at least 60: a type, and data as an application would send it."""
    shell = {"type": "order.placed", "data": {"order": 4711, "note": ""}}
    shell["data"]["note"] = ("leave it with the neighbours, and ring twice; " * (size // 46 + 1))[
        :size - len(json.dumps(shell, separators=(",", ":")))]
    return json.dumps(shell, separators=(",", ":"))


def single(size=200, **headers):
    return request_bytes("POST", "/events", event(size), Content_Type="application/json", **headers)


def array(events, size=200):
    return request_bytes("POST", "/events", f"[{','.join([event(size)] * events)}]", Content_Type="application/json")


def ndjson(events, size=200):
    return request_bytes("POST", "/events", f"{event(size)}\n" * events, Content_Type="application/x-ndjson")


def cloudevent(key):
    """In binary mode, with a key: the attributes stand in the header."""
    return single(Authorization=f"Bearer {key}", ce_specversion="1.0", ce_id="4711", ce_source="/shop",
                  ce_type="order.placed")
