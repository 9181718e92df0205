"""Nobody reads the daemon's standard error: it may not hold up service, nor the end."""
from support import trackd
from support.load import Ledger

DEADLINES = {"shutdown.request_timeout": "200ms", "shutdown.idle_timeout": "200ms", "shutdown.drain_timeout": "200ms"}


class StuckLog(trackd.TestCase):
    def stick(self, sinks):
        """A daemon whose log has been full for a while."""
        daemon = self.start({**trackd.MEMORY, **DEADLINES, "sinks": sinks, "tracker.max_pending_events": 500})
        daemon.log.reading.clear()
        load = Ledger(daemon.ingest, connections=4, requests=3000, padding=200).start()
        load.wait()
        self.assertEqual(set(load.answers) - {201, 503}, set(), load.outcome())
        return daemon

    def test_clients_are_served(self):
        daemon = self.stick('[{name="shown",kind="log"}]')
        self.assertEqual(daemon.request("GET", "/healthz").status, 200)
        self.assertEqual(daemon.status()["stage"], "running")
        self.assert_problem(daemon.post([{"n": n} for n in range(500)]), 503)
        daemon.log.reading.set()
        trackd.wait_until(lambda: daemon.status()["tracker"]["pending_events"] == 0, "all delivered")
        self.assertEqual(daemon.post({"n": 1}).status, 201)
        daemon.stop()

    def test_sigterm_ends_it_all_the_same(self):
        daemon = self.stick('[{name="shown",kind="log"}]')
        daemon.signal()
        self.assertEqual(daemon.process.wait(trackd.PATIENCE), 1, "exit status: events were lost")
