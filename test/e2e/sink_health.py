"""How a sink is doing, as seen from outside: its lag, since when it fails, and what that means to /readyz."""
import sqlite3

from support import trackd

EVENTS = 400

# So that the sink needs its time even where the machine is quick: each row counts to a hundred thousand first.
SLOW = """CREATE TRIGGER slow AFTER INSERT ON events BEGIN SELECT count(*) FROM (
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n); END"""

QUICK_RETRIES = {"tracker.retry.min": "10ms", "tracker.retry.max": "100ms"}


class SinkHealth(trackd.TestCase):
    def post(self, daemon, count):
        events = [{"id": f"e-{number}", "data": "x" * 100} for number in range(count)]
        self.assertEqual(daemon.post(events).status, 201)

    def wait_for_sink(self, daemon, condition, what):
        return trackd.wait_until(lambda: condition(sink := daemon.sink("sqlite")) and sink, what)

    def test_a_locked_database_makes_the_lag_of_its_sink_rise_and_of_no_other(self):
        daemon = self.start({**QUICK_RETRIES, "sinks": '[{name="sqlite",kind="sqlite"},{name="copy",kind="null"}]'})
        lock = daemon.lock_database()
        try:
            self.post(daemon, 10)
            first = self.wait_for_sink(daemon, lambda s: s["failing_seconds"] >= 1, "it fails for a second")
            self.assertTrue(first["failing"])
            self.assertIn("locked", first["last_error"])
            self.assertEqual((first["lag_events"], first["pending"]), (10, 10))
            self.assertGreater(first["lag_bytes"], 10 * 100)
            self.assertGreaterEqual(first["lag_seconds"], 1)
            self.assertIsNone(first["caught_up_in_seconds"])
            self.post(daemon, 20)
            later = self.wait_for_sink(daemon, lambda s: s["lag_seconds"] > first["lag_seconds"], "the lag rises")
            self.assertEqual(later["lag_events"], 30)
            self.assertGreater(later["lag_bytes"], 2 * first["lag_bytes"])
            trackd.wait_until(lambda: daemon.sink("copy")["lag_events"] == 0, "the other one has all")
            copy = daemon.sink("copy")
            self.assertEqual((copy["lag_bytes"], copy["lag_seconds"], copy["caught_up_in_seconds"]), (0, 0, 0))
            self.assertFalse(copy["failing"])
        finally:
            lock.close()
        after = self.wait_for_sink(daemon, lambda s: s["lag_events"] == 0, "it has all")
        self.assertEqual((after["lag_bytes"], after["lag_seconds"], after["caught_up_in_seconds"]), (0, 0, 0))
        self.assertEqual((after["failing"], after["failing_seconds"]), (False, 0))
        self.assertIn("locked", after["last_error"])

    def test_a_sink_that_gets_nearer_says_when_it_will_have_caught_up(self):
        daemon = self.start({**QUICK_RETRIES, "sinks.sqlite.batch_events": 1})
        connection = sqlite3.connect(daemon.database, timeout=trackd.PATIENCE, isolation_level=None)
        self.addCleanup(connection.close)
        connection.execute(SLOW)
        connection.execute("BEGIN EXCLUSIVE")
        self.post(daemon, EVENTS)
        locked = self.wait_for_sink(daemon, lambda s: s["failing"], "it fails")
        self.assertEqual((locked["lag_events"], locked["caught_up_in_seconds"]), (EVENTS, None))
        connection.execute("ROLLBACK")
        nearer = self.wait_for_sink(daemon, lambda s: s["caught_up_in_seconds"] is not None, "an estimate")
        self.assertGreater(nearer["lag_events"], 0)
        self.assertGreater(nearer["caught_up_in_seconds"], 0)
        self.assertLess(nearer["lag_bytes"], locked["lag_bytes"])


class Readiness(trackd.TestCase):
    def readiness(self, daemon):
        answer = daemon.ask("/readyz")
        return answer.status, answer.body.decode()

    def fail_until(self, daemon, condition, what):
        lock = daemon.lock_database()
        try:
            self.assertEqual(daemon.post({"data": 1}).status, 201)
            trackd.wait_until(condition, what)
        finally:
            lock.close()

    def test_it_is_not_ready_while_a_required_sink_fails(self):
        daemon = self.start({**QUICK_RETRIES, "readiness.require_sinks": "sqlite", "readiness.sink_grace": "500ms"})
        self.assertEqual(self.readiness(daemon), (200, "running\n"))
        self.fail_until(daemon, lambda: self.readiness(daemon) == (503, "sink sqlite is failing\n"), "not ready")
        trackd.wait_until(lambda: self.readiness(daemon) == (200, "running\n"), "ready again")
        self.assertEqual(daemon.request("GET", "/readyz").status, 200)

    def test_one_failed_write_is_no_reason(self):
        daemon = self.start({**QUICK_RETRIES, "readiness.require_sinks": "sqlite", "readiness.sink_grace": "1d"})
        self.fail_until(daemon, lambda: daemon.sink("sqlite")["failing"], "failing")
        self.assertEqual(self.readiness(daemon), (200, "running\n"))

    def test_sinks_that_are_not_required_do_not_matter(self):
        daemon = self.start({**QUICK_RETRIES, "readiness.require_sinks": "copy", "readiness.sink_grace": 0,
                             "sinks": '[{name="sqlite",kind="sqlite"},{name="copy",kind="null"}]'})
        self.fail_until(daemon, lambda: daemon.sink("sqlite")["failing"], "failing")
        self.assertEqual(self.readiness(daemon), (200, "running\n"))
