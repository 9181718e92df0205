"""Sends with Segment's own library for Python, and prints what it sent and what it gave up: HOST KEY COUNT [gzip]"""
import json
import sys

from segment.analytics.client import Client
from segment.analytics.request import APIError

host, write_key, count = sys.argv[1:4]
given_up = []


def heard(error, batch):
    known = isinstance(error, APIError)
    given_up.append({"status": error.status, "code": error.code} if known else {"error": repr(error)})


client = Client(
    write_key, host=host, on_error=heard, max_retries=2, upload_size=15, upload_interval=0.1, gzip="gzip" in sys.argv[4:])
sent = []
for n in range(int(count)):
    user = f"user-{n}"
    for queued, message in (
        client.identify(user, {"plan": "pro", "n": n}),
        client.track(user, "Order Completed", {"total": 12.5, "n": n, "note": 'Grüße "€"'}),
        client.page(user, name="Pricing", properties={"path": "/pricing"}),
        client.screen(user, name="Home"),
        client.group(user, "company-1", {"employees": n}),
        client.alias(f"anonymous-{n}", user),
    ):
        assert queued
        sent.append(message)
client.flush()
client.join()
print(json.dumps({"sent": sent, "given_up": given_up}, default=str))
