"""SIGKILL in the middle of load, and of recovery: every event whose 201 was read is stored once, and nothing else
is made up.

TRACKD_ROUNDS says how often; TRACKD_SEED makes the moments of the kills those of an earlier run.
"""
import os
import random
import time

from support import trackd
from support.load import Ledger

ROUNDS = int(os.environ.get("TRACKD_ROUNDS", "10"))
SEED = int(os.environ.get("TRACKD_SEED", random.randrange(1 << 32)))
# Segments so small that the kills also meet the change from one to the next.
SETTINGS = {"journal.segment_bytes": "256KiB", "tracker.retry.max": "200ms", "shutdown.drain_timeout": "10m"}


class KillUnderLoad(trackd.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"{ROUNDS} rounds, TRACKD_SEED={SEED}", flush=True)
        cls.random = random.Random(SEED)

    def rounds(self, count, one_round):
        self.kills = self.created = self.rows = 0
        for number in range(count):
            with self.subTest(round=number):
                one_round()
        print(f"{self.kills} kills, {self.created} answers 201, {self.rows} rows, no 201 without its row", flush=True)

    def test_every_201_is_a_row(self):
        self.rounds(ROUNDS, lambda: self.one_round(kills=1))

    def test_the_same_with_several_kills_before_anything_is_drained(self):
        self.rounds(max(1, ROUNDS // 3), lambda: self.one_round(kills=self.random.randrange(2, 5)))

    def test_the_same_with_a_sink_that_takes_nothing(self):
        """The whole of the load is in the journal then."""
        self.rounds(max(1, ROUNDS // 3), lambda: self.one_round(kills=self.random.randrange(1, 3), locked=True))

    def test_the_same_with_kills_in_the_middle_of_recovery(self):
        self.rounds(max(1, ROUNDS // 3), lambda: self.one_round(kills=2, kills_of_recovery=6, locked=True))

    def test_a_201_of_delivered_is_a_row_too(self):
        self.rounds(max(1, ROUNDS // 5), lambda: self.one_round(kills=1, settings={"tracker.ack": "delivered"}))

    def one_round(self, kills, kills_of_recovery=0, locked=False, settings=None):
        first = daemon = self.start({**SETTINGS, **(settings or {})})
        try:
            loads = []
            for number in range(kills):
                daemon = daemon if number == 0 else self.restart(first)
                loads.append(self.load_and_kill(daemon, f"life{number}", locked))
            for _ in range(kills_of_recovery):
                self.kill_while_it_starts(first)
            self.check(self.restart(first), loads)
        finally:
            first.kill()

    def load_and_kill(self, daemon, prefix, locked):
        lock = daemon.lock_database() if locked else None
        try:
            padding = self.random.choice((0, 0, 200, 5000))
            load = Ledger(daemon.ingest, connections=self.random.choice((1, 16, 64)), prefix=prefix, padding=padding)
            load.start().wait_for_created(self.random.randrange(1, 2000))
            daemon.crash()
            load.wait()
        finally:
            if lock:
                lock.close()
        self.kills += 1
        self.assertEqual(list(load.answers), [201], load.outcome())
        return load

    def kill_while_it_starts(self, first):
        daemon = self.restart(first, wait=False)
        time.sleep(self.random.uniform(0, 0.08))  # the moment is what is random here
        daemon.crash()
        self.kills += 1

    def check(self, daemon, loads):
        daemon.wait_until_delivered()
        status, ids = daemon.status(), daemon.ids()
        created = [event for load in loads for event in load.created]
        sent = {event for load in loads for event in load.sent}
        self.assertEqual(set(created) - set(ids), set(), "answered 201, and not there")
        self.assertEqual(set(ids) - sent, set(), "there, and never sent")
        self.assertEqual(len(ids), len(set(ids)))
        self.assert_books_balance(status)
        sink = status["sinks"][0]
        self.assertEqual((sink["accepted"], sink["damaged"], sink["lost"]), (len(ids), 0, 0), sink)
        self.assertEqual(status["journal"]["damaged_bytes"], 0, status["journal"])
        self.assertEqual(daemon.post({"id": "after", "data": 1}).status, 201)
        self.assertEqual(daemon.stop()[:6], ("SIGTERM", len(ids) + 1, len(ids) + 1, 0, 0, 0))
        self.assertIn("after", daemon.ids())
        self.created += len(created)
        self.rows += len(ids)
