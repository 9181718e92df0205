"""SIGKILL before every single system call by which the journal changes its files: nothing acknowledged is missing
after the next start.

A short scenario is run again and again, once for each call: killed before the first fdatasync, before the second, and
so on until the scenario ends by itself. TRACKD_STEP=1 tries every call; by default it is every third. Calls are
counted in each thread by itself.
"""
import os
import shutil
import signal

from support import strace, trackd

STEP = int(os.environ.get("TRACKD_STEP", "3"))
CALLS = ("fdatasync", "fsync", "pwrite64,pwritev", "rename,renameat,renameat2", "ftruncate", "fallocate",
         "unlink,unlinkat", "openat")
EVENTS = 12
PADDING = "x" * 16_000  # three events fill a segment
SETTINGS = {"journal.segment_bytes": "64KiB", "tracker.retry.max": "100ms", "shutdown.drain_timeout": "10m"}
# One that makes none of the calls itself: all the kills are the journal's.
FILE_SINK = {"sinks": '[{name="file",kind="file",sync=false}]'}


class JournalKillPoints(trackd.TestCase):
    def directory(self, like=None):
        place = self.empty_directory()
        if like:
            shutil.copytree(like, place, dirs_exist_ok=True)
        return place

    def kill_at_every(self, calls, scenario):
        """Runs scenario(injection) → whether it was killed, for each call; at how many it was killed."""
        kills, when = 0, 1
        while scenario(strace.inject(calls, "signal=SIGKILL", when)):
            kills, when = kills + 1, when + STEP
        print(f"{calls}: killed at {kills} of {when - STEP if kills else 0}", flush=True)
        return kills

    def test_a_life_from_the_first_start_to_the_drain(self):
        kills = sum(self.kill_at_every(calls, self.live) for calls in CALLS)
        self.assertGreater(kills, 20 // STEP, "the calls that were chosen are not those that it makes")

    def test_a_start_with_events_that_wait(self):
        """And with a segment that a kill had left behind."""
        prepared, created = self.prepare()
        self.assertEqual(len(created), EVENTS)

        def recover(injection):
            return self.recover(prepared, created, injection)

        kills = sum(self.kill_at_every(calls, recover) for calls in CALLS)
        self.assertGreater(kills, 10 // STEP, "the calls that were chosen are not those that it makes")

    # --- a life

    def live(self, injection):
        place = self.directory()
        daemon = self.start({**SETTINGS, **FILE_SINK}, directory=place, wait=False, **injection)
        created = self.post_until_it_dies(daemon)
        killed = self.end(daemon)
        after = self.restart(daemon)
        after.wait_until_delivered()
        lines = (place / "data" / "events.jsonl").read_text().splitlines()
        missing = set(created) - {line.partition('"id":"')[2].partition('"')[0] for line in lines}
        self.assertEqual(missing, set(), injection)
        self.assert_sound(after, injection)
        shutil.rmtree(place)
        return killed

    def post_until_it_dies(self, daemon):
        """The ids of the events that were answered 201."""
        created = []
        try:
            daemon.wait_until_running()
            with daemon.connect() as connection:
                for number in range(EVENTS):
                    body = f'{{"id":"e-{number}","data":"{PADDING}"}}'
                    self.assertEqual(connection.request("POST", "/events", body).status, 201)
                    created.append(f"e-{number}")
        except (OSError, AssertionError):
            if daemon.process.wait(trackd.PATIENCE) != -signal.SIGKILL:
                raise
        return created

    def end(self, daemon):
        """Whether it was killed; SIGTERM if not, and then once more."""
        if daemon.process.poll() is None:
            daemon.signal()
        status = daemon.process.wait(trackd.PATIENCE)
        daemon.log.join()
        self.assertIn(status, (0, -signal.SIGKILL), daemon.log.tail())
        return status != 0

    def assert_sound(self, daemon, injection):
        status = daemon.status()
        self.assert_books_balance(status)
        self.assertEqual(status["journal"]["damaged_bytes"], 0, (injection, status["journal"]))
        self.assertEqual([(sink["damaged"], sink["lost"]) for sink in status["sinks"]], [(0, 0)], injection)
        self.assertEqual(daemon.post({"id": "after", "data": 1}).status, 201)
        summary = daemon.stop()
        self.assertEqual((summary.pending, summary.lost), (0, 0), injection)

    # --- a start

    def prepare(self):
        """A directory whose events are all in the journal, and not in the database; and the events' ids."""
        place = self.directory()
        daemon = self.start(SETTINGS, directory=place)
        lock = daemon.lock_database()
        created = self.post_until_it_dies(daemon)
        daemon.crash()
        lock.close()
        return place, created

    def recover(self, prepared, created, injection):
        place = self.directory(like=prepared)
        daemon = self.start(SETTINGS, directory=place, wait=False, **injection)
        try:
            daemon.wait_until_running()
            daemon.wait_until_delivered()
        except (OSError, AssertionError):
            if daemon.process.wait(trackd.PATIENCE) != -signal.SIGKILL:
                raise
        killed = self.end(daemon)
        after = self.restart(daemon)
        after.wait_until_delivered()
        self.assertEqual(sorted(after.ids()), sorted(created), injection)
        self.assert_sound(after, injection)
        shutil.rmtree(place)
        return killed
