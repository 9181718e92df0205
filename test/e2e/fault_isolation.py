"""Which is at fault, an event or the destination: the same table over every sink that can reject an event.

An event's fault: it becomes a dead letter, all others arrive. A destination's fault: nothing becomes a dead letter, all
events wait, and arrive when it is mended. Both at once: the same, and then the bad event alone is a dead letter. Each with an
error that the sink takes for a rejection ("known"), and with one that stands on no list ("unknown").
"""
import contextlib
import sqlite3

from support import trackd
from support.http_target import HttpTarget
from support.postgres import SharedServer

QUICK = {"tracker.retry.min": "10ms", "tracker.retry.max": "100ms"}
GOOD = 60
BAD = "bad"  # the type of the bad event


class Table:
    """The cells. A sink's own class breaks and mends its destination: `sinks()`, `reject_bad(known)`, `reject_all(known)`,
    `mend_all()`, `ids()`."""

    def setUp(self):
        self.daemon = self.start({"sinks": self.sinks(), **QUICK})
        self.post("warm-up")
        self.daemon.wait_until_delivered()

    def sink(self):
        return self.daemon.status()["sinks"][0]

    def post(self, *ids, type="good"):
        events = [{"id": one, "source": "test", "type": type, "data": "plain text"} for one in ids]
        self.assertEqual(self.daemon.post(events).status, 201)

    def post_all(self):
        self.post(*(f"a-{i}" for i in range(GOOD)))
        self.post("bad", type=BAD)
        self.post(*(f"b-{i}" for i in range(GOOD)))

    def wait_for_attempts(self):
        """Until it has tried often, with nothing delivered or given up."""
        before = self.sink()["retries"]
        trackd.wait_until(lambda: self.sink()["retries"] >= before + 12, "many attempts")
        sink = self.sink()
        self.assertEqual(sink["dead_lettered"], 0)
        self.assertEqual(sink["delivered"], 1, "only the first event, from before")
        self.assertTrue(sink["failing"])
        return sink

    def check_result(self, dead):
        trackd.wait_until(lambda: self.sink()["pending"] == 0, "all dealt with")
        self.assert_books_balance(self.daemon.status())
        sink = self.sink()
        self.assertEqual((sink["dead_lettered"], sink["rejecting_all"], sink["failing"]), (dead, False, False), sink)
        expected = {"warm-up", *(f"{part}-{i}" for part in "ab" for i in range(GOOD))} | ({"bad"} if not dead else set())
        self.assertEqual(sorted(self.ids()), sorted(expected))
        self.daemon.stop()

    def check_event(self, known):
        self.reject_bad(known)
        self.post_all()
        self.check_result(dead=1)

    def check_destination(self, known):
        self.reject_all(known)
        self.post_all()
        sink = self.wait_for_attempts()
        if known:
            self.assertTrue(sink["rejecting_all"])
            self.assertGreater(sink["all_rejected"], 0)
            self.assertIn("the destination rejects every event", sink["last_error"])
            self.assertRegex(self.daemon.ask("/metrics").body.decode(), r"trackd_sink_all_rejected_total\{[^}]*\} [1-9]")
        self.mend_all()
        self.check_result(dead=0)

    def check_both(self, known):
        self.reject_bad(known)
        self.reject_all(not known)
        self.post_all()
        self.wait_for_attempts()
        self.mend_all()
        self.check_result(dead=1)

    def test_an_event_with_a_known_error(self):
        self.check_event(known=True)

    def test_an_event_with_an_unknown_error(self):
        self.check_event(known=False)

    def test_a_destination_with_a_known_error(self):
        self.check_destination(known=True)

    def test_a_destination_with_an_unknown_error(self):
        self.check_destination(known=False)

    def test_both_the_event_with_a_known_error(self):
        self.check_both(known=True)

    def test_both_the_event_with_an_unknown_error(self):
        self.check_both(known=False)


class Http(Table, trackd.TestCase):
    def sinks(self):
        if "http" not in trackd.run("--version").stdout:
            self.skipTest("this build has no http sink")
        self.target = HttpTarget.start(self)
        self.bad = self.all = None
        self.target.answer_where(
            lambda events: self.all or (self.bad if any(event["type"] == BAD for event in events) else None))
        return self.target.sink()

    def reject_bad(self, known):
        self.bad = 422 if known else 500

    def reject_all(self, known):
        self.all = 400 if known else 500

    def mend_all(self):
        self.all = None

    def ids(self):
        return self.target.ids()


class Sqlite(Table, trackd.TestCase):
    def sinks(self):
        return '[{name="db",kind="sqlite"}]'

    def execute(self, sql):
        with contextlib.closing(sqlite3.connect(self.daemon.database, timeout=trackd.PATIENCE)) as connection:
            connection.execute(sql)
            connection.commit()

    def reject_bad(self, known):
        fault = "RAISE(ABORT, 'bad')" if known else "json('{')"  # malformed JSON
        self.execute(f"CREATE TRIGGER bad BEFORE INSERT ON events WHEN new.type = '{BAD}' BEGIN SELECT {fault}; END")

    def reject_all(self, known):
        fault = "RAISE(ABORT, 'closed')" if known else "json('{')"
        self.execute(f"CREATE TRIGGER closed BEFORE INSERT ON events BEGIN SELECT {fault}; END")

    def mend_all(self):
        self.execute("DROP TRIGGER closed")

    def ids(self):
        return self.daemon.ids()


class PostgreSql(SharedServer, Table, trackd.TestCase):
    def sinks(self):
        self.server = self.shared.new_database()
        return self.server.sink()

    def trigger(self, name, condition, sqlstate):
        self.server.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{name}' USING ERRCODE = '{sqlstate}'; END $$; "
            f"CREATE TRIGGER {name} BEFORE INSERT ON events FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()")

    def reject_bad(self, known):
        self.trigger("bad", f"NEW.type = '{BAD}'", "P0001" if known else "TRK01")

    def reject_all(self, known):
        self.trigger("closed", "true", "P0001" if known else "TRK02")

    def mend_all(self):
        self.server.execute("DROP TRIGGER closed ON events")

    def ids(self):
        return self.server.ids()
