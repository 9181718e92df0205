"""A PostgreSQL server in trouble in the middle of many events: cut connections, kills, a server that stands still.
Afterwards each event has its row, once.

TRACKD_EVENTS says how many events.
"""
import os

from support import trackd
from support.cut_proxy import CutProxy
from support.postgres import Postgres, require
from support.troubles import Troubles

EVENTS = int(os.environ.get("TRACKD_EVENTS", "20000"))
TROUBLES = ("cut", "kill", "cut", "send away", "cut", "stand still", "cut", "kill", "cut", "cut")
ROUNDS = max(1, EVENTS // 50_000)


def setUpModule():
    require()


class SinkPostgres(trackd.TestCase):
    def start_both(self):
        self.server = Postgres.start(self)
        self.proxy = CutProxy(("127.0.0.1", self.server.port))
        self.addCleanup(self.proxy.close)
        return self.start({
            "sinks": self.server.sink(port=self.proxy.port, batch_events=200, statement_timeout="500ms",
                                      connect_timeout="1s"),
            "tracker.retry.max": "100ms"})

    def make_trouble(self, daemon, kind):
        if kind == "cut":
            self.proxy.cut()
        elif kind == "kill":
            self.server.crash()
            self.server.run()
        elif kind == "send away":
            self.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                " WHERE application_name = 'trackd'")
        else:
            self.server.pause()
            before = daemon.sink("postgres")["retries"]

            def has_noticed():
                sink = daemon.sink("postgres")
                return sink["retries"] > before and "does not answer" in sink["last_error"]
            trackd.wait_until(has_noticed, "the sink has noticed")
            self.server.resume()

    def test_each_event_is_there_once_whatever_happens_to_the_server(self):
        daemon = self.start_both()
        self.assertEqual(daemon.post({"id": "first", "data": 0}).status, 201)
        daemon.wait_until_delivered()
        troubles = Troubles(EVENTS, TROUBLES * ROUNDS)
        troubles.go_through(daemon.ingest, lambda kind: self.make_trouble(daemon, kind), lambda: daemon.sink("postgres"))
        sink = daemon.sink("postgres")
        self.assert_books_balance(daemon.status())
        self.assertEqual(daemon.stop()[1:6], (EVENTS + 1, EVENTS + 1, 0, 0, 0))
        ids = self.server.ids()
        troubles.ledger("postgres", f"{sink['retries']} failed writes, {sink['duplicates']} recognised as already there",
                        ids)
        self.assertEqual(len(ids), EVENTS + 1)
        self.assertEqual(set(ids), {"first", *(f"e-{number}" for number in range(EVENTS))})
        self.assertGreater(sink["retries"], 0)
