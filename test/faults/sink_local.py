"""trackd itself in trouble while it writes to a sink of this machine, and what such a sink has to bear: kills, a process
that stands still, drains that are too short, a lock, a directory that is gone, a full disk. Afterwards each accepted event
is there, once.

TRACKD_EVENTS says how many events.
"""
import contextlib
import os
import pathlib
import signal
import time

from support import trackd
from support.ports import free_port
from support.troubles import Troubles

EVENTS = int(os.environ.get("TRACKD_EVENTS", "20000"))
ROUNDS = max(1, EVENTS // 50_000)


class LocalSink:
    """One daemon after the other with one sink, called `local`, at a port that the load finds again."""

    def start_one(self, sink, directory=None):
        self.left = self.duplicates = self.retries = 0  # pending at the ends; and what each life has counted
        self.daemon = self.start({
            "sinks": f'[{{name="local",batch_events=100,{sink}}}]', "http.listen": f"127.0.0.1:{free_port()}",
            "tracker.retry.max": "100ms", "shutdown.idle_timeout": "200ms", "shutdown.drain_timeout": "20ms"},
            directory=directory)

    def go_through(self, kinds):
        self.troubles = Troubles(EVENTS, kinds, ahead=2)
        return self.troubles.go_through(self.daemon.ingest, self.make_trouble, self.sink)

    def sink(self):
        return self.daemon.sink("local")

    def make_trouble(self, kind):
        """Kinds are kill, stop, stand still and wait, and each of them while the sink is hindered: by a method's name."""
        what, _, hindrance = kind.partition(" while ")
        with contextlib.ExitStack() as hindered:
            if hindrance:
                hindered.enter_context(getattr(self, hindrance)())
                self.troubles.post_more()
                trackd.wait_until(lambda: self.sink()["failing"], f"the sink fails: {kind}")
            if what == "stand still":
                self.stand_still()
            elif what in ("kill", "stop"):
                self.end_by(what)
        if self.daemon.process.poll() is not None:
            self.daemon = self.restart(self.daemon)

    def stand_still(self):
        self.daemon.signal(signal.SIGSTOP)
        state = pathlib.Path(f"/proc/{self.daemon.pid}/stat")
        trackd.wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "it stands still")
        time.sleep(0.3)  # the trouble is that time goes on
        self.daemon.signal(signal.SIGCONT)

    def end_by(self, what):
        self.count_life()
        if what == "kill":
            self.daemon.crash()
        else:
            self.left += self.daemon.stop().pending

    def count_life(self):
        """Before it ends: these figures begin anew with the next life."""
        sink = self.sink()
        self.duplicates += sink["duplicates"]
        self.retries += sink["retries"]

    # --- what is left in the end

    def check(self, load, name, read, rows):
        """`read` gives the ids that are there, in their order, once the last daemon has ended."""
        self.count_life()
        self.assert_books_balance(self.daemon.status())
        summary = self.daemon.stop()
        ids = read()
        known = dict.fromkeys(ids)  # in the order of their first arrival
        self.troubles.ledger(
            name, f"{len(load.created)} answers 201, {sum(map(len, load.unheard))} events without an answer, "
            f"{self.retries} failed writes, {self.left} left to the next start, {self.duplicates} recognised as already there",
            ids, rows)
        self.assertEqual(set(load.created) - known.keys(), set(), "answered 201, and not there")
        stored = [event for request in load.unheard for event in request if event in known]
        self.assertEqual(known.keys() - {*load.created, *stored}, set(), "there, and never accepted")
        for request in load.unheard:  # a kill within a commit may leave the first events of the request it was writing
            there = [event for event in request if event in known]
            self.assertEqual(there, request[:len(there)], "a part of a request is there that is not its beginning")
        self.assertEqual(summary[1:6], (len(known), len(known), 0, 0, 0))
        self.assertEqual(list(known), sorted(known, key=lambda event: int(event[2:])), "their order")
        self.assertGreater(self.left, 0, "no drain was too short")
        self.assertEqual(len(ids) - len(known), 0, "events that are there more than once")


class SinkSqlite(LocalSink, trackd.TestCase):
    TROUBLES = ("kill", "stop while locked", "stand still", "kill", "wait while locked", "stop", "kill", "stand still",
                "kill while locked", "stop")

    @contextlib.contextmanager
    def locked(self):
        lock = self.daemon.lock_database()
        try:
            yield
        finally:
            lock.close()

    def rows(self):
        return [row["id"] for row in self.daemon.query("SELECT id FROM events ORDER BY rowid")]

    def test_each_accepted_event_has_its_row_once_whatever_happens(self):
        self.start_one('kind="sqlite"')
        load = self.go_through(self.TROUBLES * ROUNDS)
        self.check(load, "sqlite", self.rows, "rows")
        self.assertGreater(self.duplicates, 0, "nothing was delivered again: the kills came to nothing")


class SinkFile(LocalSink, trackd.TestCase):
    TROUBLES = ("kill", "stop while away", "stand still", "kill", "wait while away", "stop", "kill", "stand still",
                "kill while away", "stop")
    TROUBLES_OF_A_DISK = ("wait while full", "kill while full", "stop while full", "wait while full", "kill while full")

    @contextlib.contextmanager
    def away(self):
        away = self.out.with_name("away")
        self.out.rename(away)
        try:
            yield
        finally:
            away.rename(self.out)

    @contextlib.contextmanager
    def full(self):
        ballast = self.out / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):  # no space left on device
            while file.write(bytes(65536)):
                pass
        try:
            yield
        finally:
            ballast.unlink()

    def ids(self):
        return [line.partition('"id":"')[2].partition('"')[0] for line in trackd.lines(self.out)]

    def go_through_and_check(self, place, kinds, name):
        self.out = place / "out"
        self.start_one('kind="file",path="out/events.jsonl",rotate_bytes="256KiB"', place)
        load = self.go_through(kinds)
        self.assertGreater(len(list(self.out.iterdir())), 10, "files, by its rotation")
        self.check(load, name, self.ids, "lines")

    def test_each_accepted_event_has_its_line_once_whatever_happens(self):
        place = self.empty_directory()
        (place / "out").mkdir()
        self.go_through_and_check(place, self.TROUBLES * ROUNDS, "file")

    def test_each_accepted_event_has_its_line_once_on_a_disk_that_is_full_at_times(self):
        place = self.empty_directory()
        self.small_disk(place / "out", EVENTS * 500 + 4_000_000)
        self.go_through_and_check(place, self.TROUBLES_OF_A_DISK * ROUNDS, "file on a small disk")
