"""Another trackd as the target of the http sink, in trouble in the middle of many events: killed, standing still,
restarted, its connections cut before its answer is heard. Afterwards each event is in its database, once.

TRACKD_EVENTS says how many events.
"""
import os
import signal
import unittest

from support import trackd
from support.cut_proxy import CutProxy
from support.http_target import sink
from support.ports import free_port
from support.troubles import Troubles

EVENTS = int(os.environ.get("TRACKD_EVENTS", "20000"))
TROUBLES = ("kill", "lose an answer", "stand still", "restart", "kill", "cut", "restart", "lose an answer", "kill",
            "stand still", "restart")
ROUNDS = max(1, EVENTS // 100_000)


def setUpModule():
    if "http" not in trackd.run("--version").stdout:
        raise unittest.SkipTest("this build has no http sink")


class SinkHttp(trackd.TestCase):
    def start_both(self):
        port = free_port()
        self.target = self.start({"http.listen": f"127.0.0.1:{port}"})
        self.proxy = CutProxy(("127.0.0.1", port))
        self.addCleanup(self.proxy.close)
        return self.start({
            "sinks": sink(f"http://127.0.0.1:{self.proxy.port}/events", format="cloudevents", batch_events=200,
                          timeout="3s"),
            "tracker.retry.max": "100ms"}, environment={"no_proxy": "*"})

    def make_trouble(self, daemon, kind):
        retries = daemon.sink("http")["retries"]

        def wait_until_noticed():
            trackd.wait_until(lambda: daemon.sink("http")["retries"] > retries or daemon.sink("http")["pending"] == 0,
                              "the sink has noticed")
        if kind == "kill":
            self.target.crash()
            self.target = self.restart(self.target)
        elif kind == "restart":
            self.target.stop()
            self.target = self.restart(self.target)
        elif kind == "cut":
            self.proxy.cut()
        elif kind == "lose an answer":
            self.proxy.mute()
            wait_until_noticed()  # its timeout: what it has sent is stored, as far as it knows perhaps not
            self.proxy.cut()
        else:
            self.target.signal(signal.SIGSTOP)
            wait_until_noticed()
            self.target.signal(signal.SIGCONT)

    def test_each_event_is_there_once_whatever_happens_to_the_target(self):
        daemon = self.start_both()
        troubles = Troubles(EVENTS, TROUBLES * ROUNDS)
        troubles.go_through(daemon.ingest, lambda kind: self.make_trouble(daemon, kind), lambda: daemon.sink("http"))
        self.target.wait_until_delivered(600)
        here, there = daemon.sink("http"), self.target.sink("sqlite")
        self.assert_books_balance(daemon.status())
        self.assert_books_balance(self.target.status())
        self.assertEqual(daemon.stop()[1:6], (EVENTS, EVENTS, 0, 0, 0))
        self.target.stop()
        ids = self.target.ids()
        again = there["accepted"] - len(ids)
        troubles.ledger("http", f"{here['retries']} failed writes, {again} events sent again and recognised", ids)
        self.assertEqual(len(ids), EVENTS)
        self.assertEqual(set(ids), {f"e-{number}" for number in range(EVENTS)})
        self.assertGreater(here["retries"], 0)
        self.assertGreater(again, 0, "an answer was lost")
