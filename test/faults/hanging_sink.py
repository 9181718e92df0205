"""One of three sinks hangs for the whole of a run: the other two get everything, as quickly as without it.

TRACKD_EVENTS says how many events a round, TRACKD_ROUNDS how many rounds with it and without. What is not asserted, because a
busy machine could break it, is printed.
"""
import os
import socket
import statistics
import time
import unittest

from support import trackd
from support.http_target import sink
from support.load import Stream

EVENTS = int(os.environ.get("TRACKD_EVENTS", "40000"))
ROUNDS = int(os.environ.get("TRACKD_ROUNDS", "3"))
OTHERS = '{name="sqlite",kind="sqlite"}, {name="file",kind="file"}'


def setUpModule():
    if "http" not in trackd.run("--version").stdout:
        raise unittest.SkipTest("this build has no http sink")


class HangingSink(trackd.TestCase):
    def test_the_other_sinks_are_as_quick_as_without_it(self):
        rates = {"with": [], "without": []}
        for number in range(ROUNDS):
            rounds = [("with", self.round_with_a_hanging_sink), ("without", self.round_without)]
            for name, one_round in rounds if number % 2 else reversed(rounds):
                rates[name].append(EVENTS / one_round())
        median = {name: statistics.median(each) for name, each in rates.items()}
        ratio = median["with"] / median["without"]
        said = ", ".join(f"{name} it {median[name]:,.0f} events/s ({min(each):,.0f} to {max(each):,.0f})"
                         for name, each in rates.items())
        print(f"\nledger hanging: {ROUNDS} rounds of {EVENTS} events each: {said}, ratio of the medians {ratio:.2f}",
              flush=True)
        self.assertGreater(ratio, 0.5)

    def round_without(self):
        return self.one_round(OTHERS, lambda *_: None)

    def round_with_a_hanging_sink(self):
        with socket.create_server(("127.0.0.1", 0)) as target:
            # The kernel makes the connection, and nobody ever reads the request.
            port = target.getsockname()[1]
            hanging = sink(f"http://127.0.0.1:{port}/events", timeout="1h").strip("[]")

            took = self.one_round(f"{OTHERS}, {hanging}", self.check_hanging)
            connection, _ = target.accept()
            with connection:
                connection.settimeout(trackd.PATIENCE)
                self.assertEqual(connection.recv(4), b"POST", "it hung in a request")
            return took

    def one_round(self, sinks, check):
        """The seconds until both of the others have everything. All must be answered 201."""
        daemon = self.start({"sinks": f"[{sinks}]", "shutdown.drain_timeout": "0s"}, environment={"no_proxy": "*"})
        began = time.monotonic()
        load = Stream(daemon.ingest, EVENTS, at_once=1000).start()
        load.wait()
        self.wait_for_others(daemon, EVENTS)
        took = time.monotonic() - began
        self.assertEqual((load.unheard, load.refused), ([], []))
        check(daemon, EVENTS)
        self.post_numbers(daemon, EVENTS, 10)
        self.wait_for_others(daemon, EVENTS + 10)
        check(daemon, EVENTS + 10)
        self.assert_books_balance(daemon.status())
        daemon.stop()
        self.check_others(daemon)
        daemon.kill()
        return took

    def wait_for_others(self, daemon, events):
        for name in ("sqlite", "file"):
            trackd.wait_until(lambda: daemon.sink(name)["delivered"] == events, f"{name} has everything", 600)

    def check_hanging(self, daemon, posted):
        hanging = daemon.sink("http")
        self.assertEqual((hanging["delivered"], hanging["retries"], hanging["lag_events"]), (0, 0, posted), hanging)

    def check_others(self, daemon):
        expected = [f"e-{number}" for number in range(EVENTS + 10)]
        lines = trackd.lines(daemon.directory / "data")
        self.assertEqual([line.partition('"id":"')[2].partition('"')[0] for line in lines], expected)
        self.assertEqual([row["id"] for row in daemon.query("SELECT id FROM events ORDER BY rowid")], expected)
