"""segment_python.py ADDRESS KEY COUNT BATCH ODD"""
import datetime
import json
import sys

from segment.analytics.client import Client

FIRST = datetime.datetime(2026, 11, 21, 8, 15, 30, tzinfo=datetime.timezone.utc)
address, write_key, count, batch_size, odd = sys.argv[1:]
SORTS = dict(one.split(":") for one in odd.split(",") if ":" in one)


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def make_call(n):
    """Call number n: its arguments for `track`. ODD says what is odd about which of them."""
    user, name, data = f"user-{n}", "Order Completed", {"n": n, "total": 12.5, "note": 'Grüße "€"'}
    sort = SORTS.get(str(n))
    if sort == "half-surrogate":
        data["odd"] = "cut \ud83d"
    elif sort == "control-character":
        name = "Order\u0007Completed"
    elif sort == "long-user":
        user = "u" * 1500
    elif sort == "nan":
        data["odd"] = float("nan")
    elif sort == "depth":
        data["odd"] = nested(140)
    elif sort == "no-name":
        name = ""
    return {"user_id": user, "event": name, "properties": data, "timestamp": FIRST + datetime.timedelta(seconds=n)}


failed = []


def on_error(error, batch):
    failed.extend({"n": message["properties"]["n"], "why": repr(error)} for message in batch)


client = Client(write_key, host=address, on_error=on_error, upload_size=int(batch_size), upload_interval=60)
sent, refused = [], []
for n in range(int(count)):
    try:
        queued, _ = client.track(**make_call(n))
        assert queued
        sent.append(n)
    except Exception as error:  # whatever the library does not take
        refused.append({"n": n, "why": repr(error)})
client.upload_interval = 0
for consumer in client.consumers:
    consumer.upload_interval = 0.1
client.flush()
client.join()
lost = {entry["n"] for entry in failed}
print(json.dumps({"delivered": [n for n in sent if n not in lost], "failed": failed, "refused": refused}))
