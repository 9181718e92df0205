"""Every limit is hit once, each by a real request: its counter in /status rises by one, and no other limit's does."""
import gzip
import hashlib
import shutil
import unittest

from support import trackd
from support.raw_http import request_bytes

MIB = 1 << 20
KEY = "the key"
CASES = {}


def case(limit, **options):
    """`settings` and whatever else `start` takes; the function hits the limit once."""
    def register(function):
        CASES[limit] = (options, function)
        return function
    return register


def keys(**limits):
    written = "".join(f",{name}={value}" for name, value in limits.items())
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    return {"keys": f'[{{name="web",sha256="{digest}"{written}}}]'}


# --- connections

@case("http.max_connections", settings={"http.max_connections": 2})
def all_connections_are_open(test, daemon):
    for _ in range(2):
        test.assertEqual(test.connect(daemon).request("GET", "/healthz").status, 200)


@case("open_files", settings={"http.max_connections": 1000, **trackd.MEMORY},
      wrapper=("prlimit", "--nofile=64:64"))
def no_descriptors_are_left(test, daemon):
    accepted = []
    while daemon.open_files() < 64:
        accepted.append(test.connect(daemon))
        test.assertEqual(accepted[-1].request("GET", "/healthz").status, 200)
    waiting = test.connect(daemon)
    waiting.send(request_bytes("GET", "/healthz"))
    daemon.log.wait_for("cannot accept connections for now")
    for one in accepted:
        one.close()
    test.assertEqual(waiting.response().status, 200)


@case("http.max_connections_per_address", settings={"http.max_connections_per_address": 1})
def one_connection_of_an_address_too_many(test, daemon):
    test.assertEqual(test.connect(daemon).request("GET", "/healthz").status, 200)
    test.assertTrue(test.connect(daemon).ended())


# --- time

@case("http.head_timeout", settings={"http.head_timeout": "300ms"})
def half_a_head(test, daemon):
    connection = test.connect(daemon)
    connection.send(b"POST /events HTTP/1.1\r\nHost:")
    test.assert_problem(connection.response(), 408)
    test.assertTrue(connection.ended())


@case("http.body_timeout", settings={"http.body_timeout": "300ms"})
def half_a_body(test, daemon):
    connection = test.connect(daemon)
    connection.send(request_bytes("POST", "/events", b'{"n":1}')[:-1])
    test.assert_problem(connection.response(), 408)
    test.assertTrue(connection.ended())


@case("http.min_body_rate", settings={"http.min_body_rate": "1MiB", "http.body_timeout": "10m"})
def a_slow_body(test, daemon):
    connection = test.connect(daemon)
    connection.send(request_bytes("POST", "/events", b'{"n":1}')[:-1])
    test.assert_problem(connection.response(), 408)
    test.assertTrue(connection.ended())


@case("http.idle_timeout", settings={"http.idle_timeout": "300ms"})
def no_further_request(test, daemon):
    connection = test.connect(daemon)
    test.assertEqual(connection.request("GET", "/healthz").status, 200)
    test.assertTrue(connection.ended())


@case("http.write_timeout", settings={"http.write_timeout": "300ms"})
def answers_that_nobody_reads(test, daemon):
    connection = test.connect(daemon)
    connection.socket.setblocking(False)
    many = left = request_bytes("GET", "/nowhere") * 1000
    try:
        while True:
            left = left[connection.socket.send(left):] or many
    except BlockingIOError:  # the daemon reads no more, because it cannot write
        pass
    trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 0, "it is cut off")


# --- sizes

@case("http.max_head_bytes", settings={"http.max_head_bytes": "1KiB"})
def a_long_head(test, daemon):
    test.assert_problem(daemon.request("GET", "/healthz", X="x" * 1024), 431)


@case("header_fields")
def many_fields(test, daemon):
    test.assert_problem(daemon.request("GET", "/healthz", **{f"X_{n}": "x" for n in range(100)}), 431)


@case("http.max_body_bytes", settings={"http.max_body_bytes": 100})
def a_long_body(test, daemon):
    test.assert_problem(daemon.post("x" * 101, content_type="text/plain"), 413)


@case("http.max_bodies_bytes", settings={
    "http.max_body_bytes": "1MiB", "http.max_decoded_bytes": "1MiB", "http.max_bodies_bytes": "2MiB"})
def a_body_beside_others(test, daemon):
    head = request_bytes("POST", "/events", Content_Length=MIB, Expect="100-continue")
    for _ in range(2):
        connection = test.connect(daemon)
        connection.send(head)
        test.assertEqual(connection.socket.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
    test.assertEqual(test.assert_problem(daemon.post(b" " * MIB), 503), "bodies-full")


@case("http.max_decoded_bytes", settings={"http.max_decoded_bytes": 100})
def a_long_body_once_it_is_decoded(test, daemon):
    test.assert_problem(daemon.post(gzip.compress(b" " * 101), Content_Encoding="gzip"), 413)


@case("http.max_decoded_ratio")
def a_body_that_grows_too_much(test, daemon):
    test.assert_problem(daemon.post(gzip.compress(b" " * 5 * MIB), Content_Encoding="gzip"), 413)


@case("http.max_batch_events", settings={"http.max_batch_events": 2})
def three_events(test, daemon):
    test.assert_problem(daemon.post([{}, {}, {}]), 413)


@case("http.max_event_bytes", settings={"http.max_event_bytes": 200})
def a_long_event(test, daemon):
    test.assert_problem(daemon.post({"text": "x" * 200}), 413)


@case("json_depth")
def deep_json(test, daemon):
    test.assert_problem(daemon.post('{"n":' + "[" * 128 + "]" * 128 + "}"), 400, "at most 128")


@case("nameless_bytes", settings=keys())
def a_long_body_of_nobody(test, daemon):
    connection = test.connect(daemon)
    connection.send(request_bytes("POST", "/v1/batch", Content_Length=512 * 1024 + 1))
    test.assertEqual(connection.response().status, 400)


# --- keys

@case("key_missing", settings=keys())
def no_key(test, daemon):
    test.assert_problem(daemon.post({}), 401)


@case("key_unknown", settings=keys())
def another_key(test, daemon):
    test.assert_problem(daemon.post({}, X_Api_Key="another"), 401)


@case("keys.origins", settings=keys(origins='["https://shop.example"]'))
def another_web_page(test, daemon):
    test.assert_problem(daemon.post({}, X_Api_Key=KEY, Origin="https://evil.example"), 403)


@case("keys.sources", settings=keys(sources='["/shop"]'))
def another_source(test, daemon):
    test.assert_problem(daemon.post({"source": "/blog", "data": 1}, X_Api_Key=KEY), 403)


@case("keys.events_per_second", settings=keys(events_per_second=1))
def an_event_after_too_many(test, daemon):
    test.assertEqual(daemon.post([{}] * 1000, X_Api_Key=KEY).status, 201)
    test.assert_problem(daemon.post({}, X_Api_Key=KEY), 429)


@case("keys.bytes_per_second", settings=keys(bytes_per_second=1))
def a_body_after_too_many_bytes(test, daemon):
    test.assertEqual(daemon.post({"text": "x" * 1000}, X_Api_Key=KEY).status, 201)
    test.assert_problem(daemon.post({}, X_Api_Key=KEY), 429)


# --- what was accepted before

@case("backlog_full", settings={**trackd.MEMORY, "tracker.max_pending_events": 1})
def an_event_beside_one_that_waits(test, daemon):
    lock = daemon.lock_database()
    test.addCleanup(lock.close)
    test.assertEqual(daemon.post({}).status, 201)
    test.assert_problem(daemon.post({}), 503)


@case("backlog_too_small", settings={"tracker.max_pending_events": 1})
def two_events_where_there_is_room_for_one(test, daemon):
    test.assert_problem(daemon.post([{}, {}]), 413)


@case("journal_full", settings={"journal.segment_bytes": "64KiB", "journal.max_bytes": "128KiB"})
def as_many_events_as_the_journal_takes(test, daemon):
    lock = daemon.lock_database()
    test.addCleanup(lock.close)
    for _ in range(100):
        answer = daemon.post({"text": "x" * 4000})
        if answer.status != 201:
            break
    test.assertEqual(test.assert_problem(answer, 503), "journal-full")


@case("tracker.ack_timeout", settings={"tracker.ack": "delivered", "tracker.ack_timeout": "300ms"})
def a_sink_that_takes_long(test, daemon):
    lock = daemon.lock_database()
    test.addCleanup(lock.close)
    test.assert_problem(daemon.post({}), 503)


class Limits(trackd.TestCase):
    def test_each_is_counted_alone(self):
        for limit, (options, hit) in CASES.items():
            with self.subTest(limit):
                if options.get("wrapper") and not shutil.which(options["wrapper"][0]):
                    self.skipTest("prlimit is not installed")
                daemon = self.start(**options)
                before = daemon.status()["limits"]
                hit(self, daemon)
                trackd.wait_until(lambda: daemon.status()["limits"][limit] > 0, f"{limit} is counted")
                after = daemon.status()["limits"]
                self.assertEqual({name: n - before[name] for name, n in after.items() if n != before[name]}, {limit: 1})
                daemon.kill()

    def test_there_is_no_other(self):
        self.assertEqual(set(self.start().status()["limits"]), set(CASES))


if __name__ == "__main__":
    unittest.main()
