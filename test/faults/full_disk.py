"""No room for the journal: clients are told so and that nothing was stored, nothing acknowledged is lost, and service
resumes by itself when the sinks have made room."""
import shutil

from support import trackd
from support.load import Ledger
from support.raw_http import parse_head

PADDING = 4096
SETTINGS = {"journal.segment_bytes": "64KiB", "tracker.retry.max": "200ms", "shutdown.drain_timeout": "10m"}
ACCEPTED = {"tracker.ack": "accepted"}
BOUND = {"journal.max_bytes": "1MiB"}  # what a journal may take, where there is room enough on the disk


class FullDisk(trackd.TestCase):
    def small_journal(self, size):
        """A directory for a daemon whose journal has a disk of its own."""
        place = self.empty_directory()
        self.small_disk(place / "data" / "journal", size)
        return place

    def fill(self, daemon, requests=1000):
        load = Ledger(daemon.ingest, connections=8, requests=requests, padding=PADDING).start()
        load.wait()
        self.assertEqual(set(load.answers), {201, 503}, load.outcome())
        self.assertEqual(set(load.problems), {"journal-full"}, load.outcome())
        return load

    def assert_told(self, load):
        head, _, body = load.first_refusal.partition(b"\r\n\r\n")
        status, headers = parse_head(head)
        self.assertEqual(status, 503)
        self.assertGreaterEqual(int(dict(headers)["retry-after"]), 1)
        self.assertIn(b"nothing was stored", body.lower())

    def assert_full(self, daemon):
        """It is full, it is well otherwise, and it has said so once."""
        status = daemon.status()
        self.assert_books_balance(status)
        self.assertEqual(status["journal"]["condition"], "full", status["journal"])
        self.assertGreaterEqual(status["journal"]["fulls"], 1)
        for answer in (daemon.request("GET", "/readyz"), daemon.request("GET", "/healthz"), daemon.ask("/readyz")):
            self.assertEqual(answer.status, 200, answer)
        said = [entry["message"] for entry in daemon.log.entries
                if entry["message"].startswith("journal:") and "full" in entry["message"]]
        self.assertEqual(len(said), 1, said)

    def assert_resumes(self, daemon, created):
        """Once the sink works again; afterwards exactly the events that were promised are there, each once."""
        trackd.wait_until(lambda: daemon.post({"id": "after", "data": 1}).status == 201, "service resumes")
        # What was kept in memory may fill it once more.
        trackd.wait_until(lambda: daemon.journal_status()["condition"] == "good", "there is room for all")
        summary = daemon.stop()
        expected = len(created) + 1
        self.assertEqual(summary[:6], ("SIGTERM", expected, expected, 0, 0, 0))
        self.assertCountEqual(daemon.ids(), [*created, "after"])

    def fill_and_resume(self, settings, **options):
        daemon = self.start({**SETTINGS, **settings}, **options)
        lock = daemon.lock_database()
        try:
            load = self.fill(daemon)
            self.assert_full(daemon)
        finally:
            lock.close()
        self.assert_told(load)
        self.assertGreater(len(load.created), 20)
        self.assert_resumes(daemon, load.created)
        return daemon

    def fill_and_kill(self, settings, **options):
        """A kill while it is full: what was promised is there after the next start, and no more is."""
        daemon = self.start({**SETTINGS, **settings}, **options)
        lock = daemon.lock_database()
        try:
            load = self.fill(daemon)
            daemon.crash()
        finally:
            lock.close()
        after = self.restart(daemon)
        self.assert_resumes(after, load.created)

    def test_a_small_disk(self):
        self.fill_and_resume({}, directory=self.small_journal("1m"))

    def test_a_small_disk_and_a_kill(self):
        self.fill_and_kill({}, directory=self.small_journal("1m"))

    def test_the_bound_on_the_journal(self):
        self.fill_and_resume(BOUND)

    def test_the_bound_on_the_journal_and_a_kill(self):
        self.fill_and_kill(BOUND)

    def test_the_bound_holds(self):
        daemon = self.start({**SETTINGS, **BOUND})
        lock = daemon.lock_database()
        try:
            self.fill(daemon)
            status = daemon.journal_status()
            on_disk = sum(path.stat().st_size for path in daemon.journal.iterdir())
        finally:
            lock.close()
        self.assertEqual(status["max_bytes"], 1024 * 1024)
        self.assertLessEqual(status["bytes"], status["max_bytes"])
        self.assertLessEqual(on_disk, status["max_bytes"] + 64 * 1024, "and a little for the cursors")
        daemon.stop()

    def test_room_is_left_to_others(self):
        place = self.small_journal("4m")
        daemon = self.start({**SETTINGS, "journal.min_free_bytes": "2MiB"}, directory=place)
        lock = daemon.lock_database()
        try:
            load = self.fill(daemon)
            self.assertGreaterEqual(shutil.disk_usage(daemon.journal).free, 2 * 1024 * 1024)
            self.assert_full(daemon)
        finally:
            lock.close()
        self.assert_resumes(daemon, load.created)

    def test_a_sink_that_is_gone_fills_it_up_until_it_is_forgotten(self):
        sqlite = '{name="sqlite",kind="sqlite"}'
        both = self.start({**SETTINGS, **BOUND, "sinks": f'[{sqlite},{{name="bygone",kind="null"}}]'})
        both.stop()
        one = self.restart(both, {"sinks": f"[{sqlite}]"})
        load = self.fill(one)
        one.wait_until_delivered()
        self.assertEqual(one.post({"data": 1}).status, 503, "the other sink's events are kept for it")
        one.stop()
        self.assertEqual(one.tool("forget", "bygone").returncode, 0)
        self.assert_resumes(self.restart(one), load.created)

    def test_accepted_keeps_in_memory_what_the_bound_leaves_no_room_for(self):
        self.keep_in_memory(BOUND)

    def test_accepted_keeps_in_memory_what_a_small_disk_does_not_take(self):
        self.keep_in_memory({}, directory=self.small_journal("1m"))

    def keep_in_memory(self, settings, **options):
        daemon = self.start({**SETTINGS, **ACCEPTED, **settings}, **options)
        lock = daemon.lock_database()
        try:
            load = self.fill_accepted(daemon)
        finally:
            lock.close()
        self.assert_resumes(daemon, load.created)

    def fill_accepted(self, daemon):
        load = Ledger(daemon.ingest, connections=8, requests=1000, padding=PADDING).start()
        load.wait()
        self.assertEqual(set(load.problems) - {"journal-full", "backlog-full"}, set(), load.outcome())
        trackd.wait_until(lambda: daemon.journal_status()["condition"] == "full", "it is full")
        return load

    def test_accepted_counts_what_it_could_not_write_as_lost(self):
        daemon = self.start({**SETTINGS, **ACCEPTED, **BOUND, "shutdown.drain_timeout": "300ms"})
        lock = daemon.lock_database()
        try:
            load = self.fill_accepted(daemon)
            summary = daemon.stop(status=1)
        finally:
            lock.close()
        self.assertGreater(summary.lost, 0)
        self.assertEqual(summary.accepted, len(load.created))
        self.assertEqual(summary.accepted, summary.delivered + summary.pending + summary.lost, summary)
        after = self.restart(daemon, {"shutdown.drain_timeout": "10m"})
        after.wait_until_delivered()
        self.assertEqual(len(after.ids()), len(load.created) - summary.lost)
        self.assertEqual(set(after.ids()) - set(load.created), set())
        self.assert_books_balance(after.status())
        after.stop()
