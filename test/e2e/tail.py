"""The live tail: what is accepted is seen at once, by those who ask for it, and never at the cost of those who send."""
import hashlib
import json
import signal
import subprocess
import threading
import unittest
import urllib.parse

from support import tls, trackd
from support.raw_http import Connection


class Stream:
    """One `/events/tail`, read as it comes."""

    def __init__(self, daemon, query=""):
        self.connection = Connection(daemon.admin, tls=daemon.admin_tls)
        self.connection.send(f"GET /events/tail{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.text = b""
        self.head = self.read_to(b"\r\n\r\n").decode()

    def read_to(self, end):
        while end not in self.text:
            more = self.connection.socket.recv(65536)
            if not more:
                raise AssertionError(f"it ended before {end!r}; the rest is {self.text[-500:]!r}")
            self.text += more
        found, _, self.text = self.text.partition(end)
        return found

    def message(self):
        """The next one as (event, data): ("", {...}) is an accepted event. Comments are passed over."""
        while True:
            fields = dict(line.split(": ", 1) for line in self.read_to(b"\n\n").decode().splitlines() if line[0] != ":")
            if "data" in fields:
                return fields.get("event", ""), json.loads(fields["data"])

    def event(self):
        name, data = self.message()
        if name:
            raise AssertionError(f"{name} {data} where an event was expected")
        return data

    def at_end(self):
        return not self.text and self.connection.socket.recv(1) == b""

    def close(self):
        self.connection.close()


class Tail(trackd.TestCase):
    def follow(self, daemon, query=""):
        stream = Stream(daemon, query)
        self.addCleanup(stream.close)
        return stream

    def test_an_event_is_seen_as_it_was_accepted(self):
        daemon = self.start()
        stream = self.follow(daemon)
        self.assertIn("HTTP/1.1 200 OK\r\n", stream.head)
        self.assertIn("Content-Type: text/event-stream\r\n", stream.head)
        daemon.post({"id": "1", "type": "order.paid", "source": "shop", "subject": "7", "data": {"total": 12.50}})
        event = stream.event()
        self.assertEqual({name: event[name] for name in ("id", "type", "source", "subject", "data")},
                         {"id": "1", "type": "order.paid", "source": "shop", "subject": "7", "data": {"total": 12.5}})
        self.assertEqual(event["receivedat"], daemon.rows(1)[0]["received_at"])

    def test_only_what_was_asked_for_is_seen(self):
        key = "a-key-of-the-shop-that-nobody-else-has-00000"
        daemon = self.start(file=f'[[keys]]\nname = "shop"\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"\n')
        stream = self.follow(daemon, "?" + urllib.parse.urlencode({"type": "order.*,!order.debug", "key": "shop"}))
        for id, type in enumerate(["page.view", "order.debug", "order.paid"], start=1):
            answer = daemon.post({"id": str(id), "type": type, "data": {}}, Authorization=f"Bearer {key}")
            self.assertEqual(answer.status, 201)
        event = stream.event()
        self.assertEqual((event["id"], event["key"]), ("3", "shop"))

    def test_a_query_that_makes_no_sense_is_refused(self):
        daemon = self.start()
        self.assert_problem(daemon.ask("/events/tail?rate=0"), 400, '"rate" is "0"; expected')
        self.assert_problem(daemon.ask("/events/tail?typ=a"), 400, '"typ" is not known; expected')

    def test_what_is_beyond_the_rate_is_counted(self):
        daemon = self.start()
        stream = self.follow(daemon, "?rate=5")
        self.post_numbers(daemon, 0, 100)
        self.assertEqual([stream.event()["id"] for _ in range(5)], [f"e-{n}" for n in range(5)])
        self.assertEqual(stream.message(), ("skipped", {"events": 95}))

    def test_large_data_is_cut(self):
        daemon = self.start()
        stream = self.follow(daemon)
        daemon.post({"id": "large", "data": "x" * 100_000})
        event = stream.event()
        self.assertTrue(event["cut"])
        self.assertEqual(event["data_bytes"], 100_002)
        self.assertEqual(event["data"], '"' + "x" * 4095)

    def test_who_does_not_read_holds_nobody_up_and_takes_little_memory(self):
        daemon = self.start()
        self.follow(daemon, "?rate=10000")  # and never reads
        reader = self.follow(daemon)
        event = {"data": "x" * 4000}
        body = "\n".join(json.dumps(event) for _ in range(500))
        before = daemon.resident_bytes()
        for _ in range(20):  # 40 MB
            self.assertEqual(daemon.post(body, content_type="application/x-ndjson").status, 201)
        self.assertEqual(reader.event()["data"], "x" * 4000)
        daemon.wait_until_delivered()
        if not trackd.SANITIZER:
            self.assertLess(daemon.resident_bytes() - before, 64 << 20)
        self.assertEqual(daemon.stop().delivered, 10_000)

    def test_there_are_eight_at_a_time_and_a_closed_one_makes_room(self):
        daemon = self.start()
        open_ones = [self.follow(daemon) for _ in range(8)]
        refused = daemon.ask("/events/tail")
        self.assert_problem(refused, 503, "8")
        self.assertEqual(refused.header("retry-after"), "10")
        open_ones[3].close()
        trackd.wait_until(lambda: "200 OK" in self.follow(daemon).head, "room for another")

    def test_at_a_shutdown_the_end_says_why_after_all_that_was_accepted(self):
        daemon = self.start()
        stream = self.follow(daemon)
        for number in range(20):
            daemon.post({"id": f"e-{number}", "data": {}})
        daemon.signal()
        self.assertEqual([stream.event()["id"] for _ in range(20)], [f"e-{n}" for n in range(20)])
        self.assertEqual(stream.message(), ("end", {"reason": "SIGTERM"}))
        self.assertTrue(stream.at_end())
        self.assertEqual(daemon.wait().delivered, 20)

    def test_a_client_that_stays_does_not_keep_the_daemon(self):
        daemon = self.start()
        self.follow(daemon)  # and never closes its side
        daemon.stop()  # or the watchdog would end it, and not with 0


class Page(trackd.TestCase):
    """The dashboard as it is sent; what it does then, test/clients sees."""

    def test_it_is_sent_as_it_was_written(self):
        answer = self.start().ask("/")
        self.assertEqual(answer.body, (trackd.ROOT / "src" / "admin" / "dashboard.html").read_bytes())
        self.assertEqual(answer.header("content-type"), "text/html; charset=utf-8")
        self.assertTrue(answer.header("content-security-policy").startswith("default-src 'none'; script-src 'sha256-"))

    def test_the_status_says_how_far_a_shutdown_is(self):
        daemon = self.start({"shutdown.lame_duck": "60s"})
        self.post_numbers(daemon, 0, 5)
        daemon.wait_until_delivered()
        status = daemon.status()
        self.assertNotIn("shutdown", status)
        self.assertEqual(status["tracker"]["delivered"], 5)
        daemon.signal()
        trackd.wait_until(lambda: daemon.status()["stage"] == "lame_duck", "the shutdown")
        shutdown = daemon.status()["shutdown"]
        self.assertEqual(shutdown["reason"], "SIGTERM")
        self.assertTrue(0 < shutdown["stage_seconds_left"] <= 60, shutdown)
        self.assertLess(shutdown["stage_seconds_left"], shutdown["seconds_left"])
        daemon.stop()  # the second signal: all deadlines are now


class Command(trackd.TestCase):
    """`trackd tail`."""

    def tail(self, daemon, *options):
        address = daemon.admin if isinstance(daemon.admin, str) else "{}:{}".format(*daemon.admin)
        process = subprocess.Popen(
            [trackd.binary(), "tail", *daemon.configuration(), "--set", f"admin.listen={address}", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=trackd.clean_environment())
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        watchdog = threading.Timer(trackd.PATIENCE, process.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        trackd.wait_until(lambda: any(one["state"] == "streaming" for one in daemon.tasks()["connections"]), "the tail")
        return process

    def test_prints_a_line_an_event_until_ctrl_c(self):
        daemon = self.start()
        process = self.tail(daemon)
        daemon.post('{"id":"1","type":"page.view","source":"shop","data":{"n":  1.50}}')
        daemon.post({"id": "2", "type": "page.view", "source": "shop", "data": "x" * 5000})
        fields = process.stdout.readline().rstrip("\n").split("\t")
        self.assertEqual(fields[1:], ['"page.view"', '"shop"', '"1"', '{"n":  1.50}'])
        self.assertEqual(fields[0], daemon.rows(2)[0]["received_at"])
        self.assertTrue(process.stdout.readline().endswith('xxx"... of 5002 bytes\n'))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(trackd.PATIENCE), 0, process.stderr.read())

    def test_prints_json_of_what_was_asked_for(self):
        daemon = self.start()
        process = self.tail(daemon, "--json", "--type", "order.*", "--source", "shop/é &1")
        daemon.post({"id": "1", "type": "page.view", "source": "shop/é &1", "data": {}})
        daemon.post({"id": "2", "type": "order.paid", "source": "elsewhere", "data": {}})
        daemon.post({"id": "3", "type": "order.paid", "source": "shop/é &1", "data": {}})
        self.assertEqual(json.loads(process.stdout.readline())["id"], "3")

    def test_ends_with_the_daemon(self):
        daemon = self.start()
        process = self.tail(daemon, "--rate", "1")
        self.post_numbers(daemon, 0, 3)
        daemon.stop()
        self.assertEqual(process.wait(trackd.PATIENCE), 0)
        said = process.stderr.read()
        self.assertIn("# the daemon ends: \"SIGTERM\"\n", said)
        self.assertIn("# skipped 2 events\n", said)

    def test_says_that_the_daemon_broke_off(self):
        daemon = self.start()
        process = self.tail(daemon)
        daemon.crash()
        self.assertEqual(process.wait(trackd.PATIENCE), 1)
        self.assertIn("broke off", process.stderr.read())

    def test_speaks_tls_where_the_admin_listener_does(self):
        certificate, key = tls.certificate(self.empty_directory())
        daemon = self.start({"admin.tls.certificate": certificate, "admin.tls.key": key})
        process = self.tail(daemon, "--json")
        daemon.post({"id": "1", "data": {}})
        self.assertEqual(json.loads(process.stdout.readline())["id"], "1")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(trackd.PATIENCE), 0, process.stderr.read())

    def test_says_that_there_is_no_daemon(self):
        done = trackd.run("tail", "--set", f"admin.listen=unix:{self.empty_directory() / 'none.sock'}")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^trackd: no daemon answers at admin\.listen, unix:/.*: .+\n$")

    def test_says_why_it_was_refused(self):
        daemon = self.start()
        done = trackd.run("tail", "--rate", "much", "--set", "admin.listen={}:{}".format(*daemon.admin))
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected events a second", done.stderr)


if __name__ == "__main__":
    unittest.main()
