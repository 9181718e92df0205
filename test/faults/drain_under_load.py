"""SIGTERM in the middle of load, again and again: every event that got a 201 is stored, and nothing else is.

TRACKD_ROUNDS says how often; TRACKD_SEED makes the moments of the signal those of an earlier run.
"""
import os
import random

from support import trackd
from support.load import Ledger, Wrk

ROUNDS = int(os.environ.get("TRACKD_ROUNDS", "10"))
SEED = int(os.environ.get("TRACKD_SEED", random.randrange(1 << 32)))
# Long enough that no client is too late on a busy machine; a stage ends as soon as it has nothing left to do.
PATIENT = {"shutdown.idle_timeout": "1m", "shutdown.request_timeout": "1m", "shutdown.drain_timeout": "1m"}


class Journal(trackd.TestCase):
    KIND = {}  # the default

    @classmethod
    def setUpClass(cls):
        print(f"{cls.__name__}: {ROUNDS} rounds, TRACKD_SEED={SEED}", flush=True)
        cls.random = random.Random(SEED)

    def test_every_201_is_a_row_and_every_row_a_201(self):
        events = 0
        for number in range(ROUNDS):
            with self.subTest(round=number):
                events += self.round_with_ledger()
        print(f"ledger: {events} answers 201 and as many rows in {ROUNDS} rounds", flush=True)

    def test_wrk_counts_as_many_201s_as_there_are_rows(self):
        events = 0
        for number in range(ROUNDS):
            with self.subTest(round=number):
                events += self.round_with_wrk()
        print(f"wrk: {events} answers 201 and as many rows in {ROUNDS} rounds", flush=True)

    def test_a_201_of_delivered_is_a_row_too(self):
        for number in range(max(1, ROUNDS // 5)):
            with self.subTest(round=number):
                self.round_with_ledger({"tracker.ack": "delivered"})

    def test_the_same_with_a_connection_for_each_request(self):
        for number in range(max(1, ROUNDS // 5)):
            with self.subTest(round=number):
                self.round_with_ledger(keep_alive=False)

    def round_with_ledger(self, settings=None, keep_alive=True):
        daemon = self.start({**PATIENT, **self.KIND, **(settings or {})})
        try:
            load = Ledger(daemon.ingest, connections=64, keep_alive=keep_alive).start()
            load.wait_for_created(self.random.randrange(1, 3000))
            summary = daemon.stop()
            load.wait()
            self.assertEqual(list(load.answers), [201], load.outcome())
            self.assertEqual(load.cut_off, [], "requests without an answer on a connection that was being served")
            self.assertEqual(len(load.created), len(set(load.created)))
            self.assertEqual(sorted(daemon.ids()), sorted(load.created), load.outcome())
            self.assert_summary(summary, len(load.created))
            return len(load.created)
        finally:
            daemon.kill()

    def round_with_wrk(self):
        daemon = self.start({**PATIENT, **self.KIND})
        wrk = Wrk(daemon.ingest, connections=64)
        try:
            enough = self.random.randrange(1, 10_000)
            trackd.wait_until(lambda: daemon.status()["tracker"]["accepted"] >= enough, f"{enough} events")
            summary = daemon.stop()
            counted = wrk.stop()
            self.assertEqual(counted["others"], 0, "answers other than 201")
            self.assertEqual(daemon.count(), counted["created"])
            self.assert_summary(summary, counted["created"])
            return counted["created"]
        finally:
            wrk.kill()
            daemon.kill()

    def assert_summary(self, summary, created):
        self.assertEqual(summary[:6], ("SIGTERM", created, created, 0, 0, 0))


class Memory(Journal):
    KIND = trackd.MEMORY
