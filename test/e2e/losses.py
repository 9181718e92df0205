"""A backlog in memory, and a sink too slow for the deadline: what is lost is counted, to the event, and the exit status
says so."""
from support import trackd
from support.load import Ledger


def slow_sink(latency):
    return f'[{{name="slow",kind="log",simulate_latency="{latency}"}}]'


class Losses(trackd.TestCase):
    def assert_exact(self, daemon, summary, created):
        """The three who keep count, the client, the summary and the sink's own output, agree."""
        self.assertEqual(summary.accepted, created)
        self.assertEqual(summary.accepted, summary.delivered + summary.lost, summary)
        self.assertEqual((summary.pending, summary.dead_lettered), (0, 0))
        self.assertEqual(summary.delivered, self.lines_of_sink(daemon), "lines that the log sink wrote")

    @staticmethod
    def lines_of_sink(daemon):
        return sum('"id":"event-' in entry["message"] for entry in daemon.log.entries)

    def test_what_the_drain_leaves_is_lost_exactly(self):
        daemon = self.start({**trackd.MEMORY, "sinks": slow_sink("20ms"), "shutdown.drain_timeout": "500ms"})
        load = Ledger(daemon.ingest, connections=8, requests=2000).start()
        load.wait()
        self.assertEqual(len(load.created), 2000, load.outcome())
        summary = daemon.stop(status=1)
        self.assert_exact(daemon, summary, created=2000)
        self.assertGreater(summary.lost, 0)
        self.assertGreater(summary.delivered, 0)

    def test_nothing_is_lost_when_the_drain_has_time_enough(self):
        daemon = self.start({**trackd.MEMORY, "sinks": slow_sink("2ms"), "shutdown.drain_timeout": "10m"})
        load = Ledger(daemon.ingest, connections=8, requests=500).start()
        load.wait()
        summary = daemon.stop(status=0)
        self.assert_exact(daemon, summary, created=500)
        self.assertEqual(summary.lost, 0)

    def test_the_deadline_cuts_off_a_sink_that_hangs_in_one_event(self):
        daemon = self.start({**trackd.MEMORY, "sinks": slow_sink("1h"), "shutdown.drain_timeout": "200ms"})
        load = Ledger(daemon.ingest, connections=4, requests=50).start()
        load.wait()
        summary = daemon.stop(status=1)
        self.assert_exact(daemon, summary, created=50)
        self.assertGreaterEqual(summary.lost, 49)

    def test_a_second_signal_ends_the_drain_at_once(self):
        daemon = self.start({**trackd.MEMORY, "sinks": slow_sink("1h"), "shutdown.drain_timeout": "30m"})
        load = Ledger(daemon.ingest, connections=4, requests=50).start()
        load.wait()
        daemon.signal()
        daemon.log.wait_for("^stage draining")
        self.assertEqual(daemon.status()["stage"], "draining")
        self.assertTrue(daemon.status()["tracker"]["sealed"])
        summary = daemon.stop(status=1)
        self.assert_exact(daemon, summary, created=50)
        self.assertEqual(summary.reason, "SIGTERM")

    def test_a_second_signal_ends_the_closing_stage_too(self):
        daemon = self.start({**trackd.MEMORY, "shutdown.request_timeout": "30m", "shutdown.idle_timeout": "30m"})
        connection = self.connect(daemon)
        connection.send(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 1, "the connection is accepted")
        daemon.signal()
        daemon.log.wait_for("^stage closing")
        self.assertEqual(daemon.stop(status=0).lost, 0)

    def test_the_books_balance_at_every_moment_under_load(self):
        daemon = self.start({**trackd.MEMORY, "sinks": f'[{{name="fast",kind="null"}},{slow_sink("1ms")[1:]}',
                             "tracker.max_pending_events": 2000, "shutdown.drain_timeout": "10m"})
        load = Ledger(daemon.ingest, connections=16).start()
        load.wait_for_created(100)
        before, moments = 0, 0
        while moments < 100:
            status = daemon.status()
            self.assert_books_balance(status)
            tracker = status["tracker"]
            self.assertLessEqual(before, tracker["accepted"])
            self.assertLessEqual(tracker["pending_events"], 2000)
            self.assertEqual({sink["accepted"] for sink in status["sinks"]}, {tracker["accepted"]})
            before, moments = tracker["accepted"], moments + 1
        load.stop()
        self.assertGreater(before, 100)
        self.assertEqual(set(load.answers) - {201, 503}, set(), load.outcome())
        summary = daemon.stop()
        self.assertEqual((summary.accepted, summary.delivered), (len(load.created), len(load.created)))
