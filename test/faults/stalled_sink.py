"""A sink that takes nothing for a while, and a backlog in memory: clients are told, memory stays bounded, and
service resumes by itself."""
import threading

from support import trackd
from support.load import Ledger
from support.raw_http import parse_head

LIMIT = 1000
PADDING = 4096
ROOM = 64 * 1024 * 1024  # that the daemon may grow by, while clients try to give it four times as much
ATTEMPTS = 4 * ROOM // PADDING


class StalledSink(trackd.TestCase):
    def assert_full(self, first_refusal):
        head, _, _ = first_refusal.partition(b"\r\n\r\n")
        status, headers = parse_head(head)
        headers = dict(headers)
        self.assertEqual(status, 503)
        self.assertEqual(headers["content-type"], "application/problem+json")
        self.assertGreaterEqual(int(headers["retry-after"]), 1)

    def stall_and_resume(self, settings):
        daemon = self.start({**trackd.MEMORY, "tracker.retry.max": "200ms", **settings})
        warm_up = Ledger(daemon.ingest, connections=32, requests=2000, padding=PADDING).start()
        warm_up.wait()
        trackd.wait_until(lambda: daemon.status()["tracker"]["pending_events"] == 0, "all delivered")
        first = {f"event-{n}" for n in range(1, 2001)}
        self.assertEqual(set(daemon.ids()), first & set(warm_up.created))
        before = daemon.status()["tracker"]["accepted"]
        memory = daemon.resident_bytes()

        lock = daemon.lock_database()
        try:
            load = Ledger(daemon.ingest, connections=32, requests=ATTEMPTS, padding=PADDING, prefix="stalled").start()
            load.wait(patience=300)
            grown = daemon.resident_bytes() - memory
            self.assertEqual(set(load.answers), {201, 503}, load.outcome())
            self.assert_full(load.first_refusal)
            trackd.wait_until(lambda: daemon.sink("sqlite")["failing"], "the sink's state shows in /status")
            status = daemon.status()
        finally:
            lock.close()

        self.assert_books_balance(status)
        self.assertEqual(status["tracker"]["accepted"] - before, len(load.created))
        self.assertEqual(status["tracker"]["refused"], len(warm_up.answers[503]) + len(load.answers[503]))
        self.assertIn("locked", status["sinks"][0]["last_error"])
        if not trackd.SANITIZER:  # a sanitizer keeps freed memory, on purpose
            self.assertLess(grown, ROOM, "resident memory during the stall")

        trackd.wait_until(lambda: daemon.status()["tracker"]["pending_events"] == 0, "all delivered after the stall")
        self.assertFalse(daemon.sink("sqlite")["failing"])
        self.assertGreater(daemon.sink("sqlite")["retries"], 0)
        self.assertEqual(daemon.post({"id": "after", "data": 1}).status, 201)
        daemon.stop()
        self.assertCountEqual(daemon.ids(), [*warm_up.created, *load.created, "after"])
        return status["tracker"], len(load.created)

    def test_the_bound_on_events_holds(self):
        tracker, created = self.stall_and_resume({"tracker.max_pending_events": LIMIT})
        self.assertEqual(tracker["pending_events"], LIMIT)
        self.assertEqual(created, LIMIT)

    def test_the_bound_on_bytes_holds(self):
        bound = 2 * 1024 * 1024
        tracker, created = self.stall_and_resume({"tracker.max_pending_bytes": "2MiB"})
        self.assertLessEqual(tracker["pending_bytes"], bound)
        self.assertGreater(tracker["pending_bytes"], bound // 2)
        self.assertGreater(created, bound // PADDING // 2)

    def test_health_and_status_answer_during_the_stall(self):
        daemon = self.start({**trackd.MEMORY, "tracker.max_pending_events": 10})
        self.assertEqual(daemon.post({"id": "first", "data": 1}).status, 201)
        daemon.rows(1)
        lock = daemon.lock_database()
        try:
            while daemon.post({"data": 1}).status == 201:
                pass
            self.assertEqual(daemon.request("GET", "/healthz").status, 200)
            self.assertEqual(daemon.ask("/status").json()["tracker"]["pending_events"], 10)
            self.assert_problem(daemon.post([{"n": 1}, {"n": 2}]), 503)
        finally:
            lock.close()
        self.assertEqual(daemon.stop().delivered, 11)

    def test_a_drain_waits_for_a_stall_that_ends_in_time(self):
        daemon = self.start({**trackd.MEMORY, "shutdown.drain_timeout": "10m", "tracker.retry.max": "200ms"})
        self.assertEqual(daemon.post({"id": "first", "data": 1}).status, 201)
        daemon.rows(1)
        lock = daemon.lock_database()
        self.addCleanup(lock.close)
        load = Ledger(daemon.ingest, connections=8, requests=200, prefix="stalled").start()
        load.wait()
        self.assertEqual(len(load.created), 200, load.outcome())
        daemon.signal()
        daemon.log.wait_for("^stage draining")
        release = threading.Timer(0.3, lock.close)  # inside SQLite's own patience with a locked database
        release.start()
        summary = daemon.wait()
        release.join()
        self.assertEqual(summary.delivered, 201)
        self.assertEqual(len(daemon.ids()), 201)
