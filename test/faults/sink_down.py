"""A sink that is down for the whole of a run: the journal grows and memory does not; afterwards everything is
delivered, in order, and once.

TRACKD_BACKLOG_MB says how much piles up; from 500 on it is measured what a start with such a journal takes.
"""
import os
import threading
import time

from support import trackd
from support.raw_http import Connection, request_bytes

MIB = 1024 * 1024
BACKLOG = int(os.environ.get("TRACKD_BACKLOG_MB", "128")) * MIB
LARGE = BACKLOG >= 500 * MIB
DATA = 2000  # bytes of an event
BODY_EVENTS = 500
ROOM = 64 * MIB  # that the daemon may grow by, however much piles up: at least twice as much does
BODY_EVENT = '{{"id":"e-{:09d}","type":"load","data":"' + "x" * DATA + '"}}'


class SinkDown(trackd.TestCase):
    def start_with_a_sink_that_can_be_taken_away(self, sinks='{name="file",kind="file",path="out/events.jsonl"}'):
        segment = "64MiB" if LARGE else "1MiB"
        place = self.empty_directory()
        (place / "out").mkdir()
        return self.start({"sinks": f"[{sinks}]", "journal.segment_bytes": segment, "tracker.retry.max": "200ms",
                           "http.threads": 1, "shutdown.drain_timeout": "1s"}, directory=place)

    def take_away(self, daemon):
        (daemon.directory / "out").rename(daemon.directory / "away")
        with daemon.connect() as connection:  # it keeps its file open until the next write finds it gone
            self.assertEqual(connection.request("POST", "/events", '{"id":"first","data":1}').status, 201)
        trackd.wait_until(lambda: daemon.sink("file")["failing"], "the sink is down")

    def give_back(self, daemon):
        (daemon.directory / "away").rename(daemon.directory / "out")

    def pile_up(self, daemon):
        """Posts the backlog's worth of events on one connection; their number."""
        sent = 0
        with daemon.connect() as connection:
            while sent * DATA < BACKLOG:
                lines = "\n".join(BODY_EVENT.format(number) for number in range(sent, sent + BODY_EVENTS))
                answer = connection.request("POST", "/events", lines, Content_Type="application/x-ndjson")
                self.assertEqual(answer.status, 201, answer)
                sent += BODY_EVENTS
        return sent

    def assert_in_order(self, daemon, events):
        """Every event has its line, and the lines their order. None is there twice: no write was cut off."""
        expected, lines = -1, 0
        for line in trackd.lines(daemon.directory / "out"):
            event = line.partition('"id":"')[2].partition('"')[0]
            wanted = "first" if expected < 0 else f"e-{expected:09d}"
            self.assertEqual(event, wanted, f"line {lines}")
            expected, lines = expected + 1, lines + 1
        self.assertEqual(lines, events + 1)

    def assert_room(self, what, before, after):
        print(f"resident: {before / MIB:.1f} MiB before, {after / MIB:.1f} MiB {what}", flush=True)
        if not trackd.SANITIZER:  # a sanitizer keeps freed memory, on purpose
            self.assertLess(after - before, ROOM, what)

    def test_a_sink_that_comes_back(self):
        daemon = self.start_with_a_sink_that_can_be_taken_away()
        before = daemon.resident_bytes()
        self.take_away(daemon)
        began = time.monotonic()
        events = self.pile_up(daemon)
        took = time.monotonic() - began
        piled = daemon.journal_status()["bytes"]
        print(f"{events} events, a journal of {piled / MIB:.0f} MiB, in {took:.1f} s", flush=True)
        self.assertGreater(piled, BACKLOG)
        self.assertEqual(daemon.sink("file")["pending"], events + 1)
        self.assert_room("with the backlog", before, daemon.resident_bytes())

        most = self.watch_memory(daemon, lambda: self.give_back(daemon))
        self.assert_room("at most while it is delivered", before, most)
        self.assert_books_balance(daemon.status())
        self.assert_journal_shrinks(daemon)
        summary = daemon.stop()
        self.assertEqual(summary[:6], ("SIGTERM", events + 1, events + 1, 0, 0, 0))
        self.assert_in_order(daemon, events)

    def test_a_sink_that_comes_back_after_a_restart(self):
        daemon = self.start_with_a_sink_that_can_be_taken_away()
        before = daemon.resident_bytes()
        self.take_away(daemon)
        events = self.pile_up(daemon)
        summary = daemon.stop()
        self.assertEqual((summary.accepted, summary.pending, summary.lost), (events + 1, events + 1, 0))
        self.give_back(daemon)

        began = time.monotonic()
        after = self.restart(daemon)
        running = time.monotonic()
        with Connection(after.ingest) as connection:
            connection.send(request_bytes("POST", "/events", f'{{"id":"e-{events:09d}","data":1}}'))
            self.assertEqual(connection.response().status, 201)
        first = time.monotonic()
        print(f"start with {BACKLOG / MIB:.0f} MB of backlog: running after {running - began:.3f} s, first 201 after "
              f"{first - began:.3f} s", flush=True)
        self.assertLess(first - began, 30, "seconds to the first 201: it may not read the whole backlog first")
        most = self.watch_memory(after, lambda: None)
        print(f"delivered after {time.monotonic() - began:.1f} s", flush=True)
        self.assert_room("at most after the restart", before, most)
        self.assert_books_balance(after.status())
        summary = after.stop()
        self.assertEqual(summary[:6], ("SIGTERM", events + 2, events + 2, 0, 0, 0))
        self.assert_in_order(after, events + 1)

    def test_two_sinks_of_which_one_is_down(self):
        daemon = self.start_with_a_sink_that_can_be_taken_away(
            '{name="file",kind="file",path="out/events.jsonl"},{name="sqlite",kind="sqlite"}')
        self.take_away(daemon)
        events = self.pile_up(daemon)
        trackd.wait_until(lambda: daemon.sink("sqlite")["pending"] == 0, "the other one has everything", 600)
        self.assertEqual(daemon.sink("file")["pending"], events + 1)
        self.give_back(daemon)
        daemon.wait_until_delivered(600)
        self.assertEqual(daemon.stop().delivered, events + 1)
        self.assert_in_order(daemon, events)
        ids = daemon.ids()
        self.assertEqual((len(ids), len(set(ids))), (events + 1, events + 1))

    def watch_memory(self, daemon, begin):
        """Begins it, waits until all is delivered, and returns the most memory seen meanwhile."""
        most, ended = [0], threading.Event()

        def watch():
            while not ended.wait(0.02):
                most[0] = max(most[0], daemon.resident_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            begin()
            daemon.wait_until_delivered(1800)
        finally:
            ended.set()
            watcher.join()
        return most[0]

    def assert_journal_shrinks(self, daemon):
        trackd.wait_until(lambda: daemon.journal_status()["segments"] <= 3, "what is delivered is removed")
