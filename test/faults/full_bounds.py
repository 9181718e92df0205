"""Each bound that makes the journal full, on real disks: service goes on when nothing is pending, or when the sink that is
behind may be skipped, and the sink that holds the oldest events is named where it may not. test/unit/tracker/
full_matrix_test.cpp has the whole matrix on a simulated disk, with quotas."""
from support import trackd
from support.ports import free_port

SETTINGS = {"journal.segment_bytes": "64KiB", "journal.min_free_bytes": "0", "tracker.retry.max": "200ms"}
GOOD = '{name="good",kind="null"}'
# By name: what is mounted at the journal's place (size and more options), and the settings.
BOUNDS = {
    "journal.max_bytes": (None, {"journal.max_bytes": "256KiB"}),
    "journal.min_free_bytes": ("1m", {"journal.min_free_bytes": "768KiB"}),
    "the disk": ("300k", {}),
    "the disk, with room for one segment": ("120k", {}),
    "inodes": ("4m,nr_inodes=7", {}),
    "inodes for one segment": ("4m,nr_inodes=5", {}),
}


def down(name="down", on_full="skip"):
    port = free_port()
    return f'{{name="{name}",kind="http",url="http://127.0.0.1:{port}/",required=false,on_full="{on_full}"}}'


class FullBounds(trackd.TestCase):
    def start_within(self, bound, sinks):
        size, settings = BOUNDS[bound]
        place = self.empty_directory()
        if size:
            self.small_disk(place / "data" / "journal", size)
        return self.start({**SETTINGS, **settings, "sinks": f"[{sinks}]"}, directory=place)

    def post_all(self, daemon, count, first=0):
        """Each event is taken, as by a client that tries again.
        @return how many of the requests were refused"""
        refused = 0
        for number in range(first, first + count):
            def taken():
                nonlocal refused
                status = daemon.post({"id": f"e-{number}", "data": "x" * 8000}).status
                self.assertIn(status, (201, 503))
                refused += status == 503
                return status == 201
            trackd.wait_until(taken, f"event {number} is taken; {daemon.journal_status()}")
        return refused

    def fill(self, daemon):
        for _ in range(1000):
            if daemon.post({"data": "x" * 8000}).status == 503 and daemon.post({"data": "x" * 8000}).status == 503:
                return
        self.fail(f"it is never full: {daemon.status()}")

    def test_nothing_pending(self):
        for bound in BOUNDS:
            with self.subTest(bound):
                daemon = self.start_within(bound, GOOD)
                self.post_all(daemon, 60)
                daemon.wait_until_delivered()
                self.assert_books_balance(daemon.status())
                daemon.stop()

    def test_a_sink_that_may_be_skipped(self):
        for bound in BOUNDS:
            with self.subTest(bound):
                daemon = self.start_within(bound, f"{GOOD},{down()}")
                refused = self.post_all(daemon, 60) + self.post_all(daemon, 40, first=60)
                good, skipped = daemon.status()["sinks"]
                self.assertGreater(skipped["skipped"], 0)
                self.assertEqual(good["skipped"], 0)
                self.assert_books_balance(daemon.status())
                print(f"{bound}: {refused} of {100 + refused} requests were refused, {skipped['skipped']} events skipped")
                daemon.stop()

    def test_a_sink_that_blocks_is_named(self):
        for bound in BOUNDS:
            with self.subTest(bound):
                daemon = self.start_within(bound, f'{GOOD},{down("stopper", "block")}')
                self.fill(daemon)
                trackd.wait_until(lambda: daemon.status()["sinks"][0]["pending"] == 0, "the other sink has all")
                journal = daemon.journal_status()
                self.assertEqual(journal["condition"], "full", journal)
                holder = journal["held_by"]
                self.assertEqual((holder["sink"], holder["configured"], holder["position"]), ("stopper", True, 1))
                line = daemon.log.wait_for("journal: full, refusing events until there is room: ").string
                self.assertRegex(line, "sink (stopper|good) holds the oldest events")
                self.assertIn("sink stopper holds the oldest events", daemon.command("status").stdout)
                daemon.crash()

    def test_a_sink_that_is_not_configured_is_named_with_the_command_that_lets_go(self):
        both = self.start({**SETTINGS, "journal.max_bytes": "256KiB", "sinks": f'[{GOOD},{{name="gone",kind="null"}}]'})
        both.stop()
        one = self.restart(both, {"sinks": f"[{GOOD}]"})
        self.fill(one)
        holder = one.journal_status()["held_by"]
        self.assertEqual((holder["sink"], holder["configured"], holder["position"]), ("gone", False, 1))
        self.assertIn("sink gone holds the oldest events", one.log.wait_for("journal: full, ").string)
        self.assertIn("trackd sink forget gone", one.command("status").stdout)
        self.assertIn('trackd_journal_held_events{sink="gone"}', one.ask("/metrics").body.decode())
        refusal = one.post({"data": "x" * 8000}).body.decode()
        self.assertNotIn("gone", refusal, "clients are not told the names of sinks")
        one.stop()

    def test_a_condition_that_alternates_is_no_flood_of_lines(self):
        both = self.start({**SETTINGS, "journal.max_bytes": "256KiB", "sinks": f'[{GOOD},{{name="gone",kind="null"}}]'})
        both.stop()
        one = self.restart(both, {"sinks": f"[{GOOD}]"})
        for _ in range(300):
            one.post({"data": "x" * 8000})
            one.post({"data": 1})
        lines = [entry["message"] for entry in one.log.entries if "journal: " in entry["message"]]
        self.assertLessEqual(len([line for line in lines if "full" in line or "room" in line]), 2, lines)
        one.stop()

    def test_smaller_bounds_after_a_restart(self):
        before = self.start({**SETTINGS, "journal.segment_bytes": "1MiB", "sinks": f"[{GOOD}]"})
        self.post_all(before, 60)
        before.wait_until_delivered()
        before.stop()
        after = self.restart(before, {"journal.segment_bytes": "64KiB", "journal.max_bytes": "128KiB"})
        self.post_all(after, 40, first=60)
        self.assertLessEqual(after.journal_status()["bytes"], 128 * 1024)
        after.stop()

    def test_no_bound_is_changed_by_a_reload(self):
        daemon = self.start(file='[journal]\nmax_bytes = "32MiB"\n')
        daemon.file.write_text('[journal]\nmax_bytes = "64MiB"\n')
        done = daemon.command("reload")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, "journal.max_bytes: has changed, expected what it was: it needs a restart\n")
        self.assertEqual(daemon.journal_status()["max_bytes"], 32 * 1024 * 1024)
        daemon.stop()
