"""The journal as those who run trackd meet it: what waits is there after a restart, sinks come and go, damage is told
and does not spread, and the commands that look into it."""
import json
import re
import stat
import struct

from support import trackd
from support.load import Ledger

# With the database locked, nothing is delivered, and a stop does not wait for it.
HURRIED = {"shutdown.drain_timeout": "0s", "tracker.retry.max": "200ms"}
PATIENT = {"shutdown.drain_timeout": "10m"}


def crc32c(data):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class JournalTest(trackd.TestCase):
    def post_some(self, daemon, count=5, prefix="e"):
        """On one connection, each answered before the next is sent: a commit for each."""
        ids = [f"{prefix}-{number}" for number in range(count)]
        with daemon.connect() as connection:
            for event in ids:
                answer = connection.request("POST", "/events", f'{{"id":"{event}","data":"the data of {event}"}}')
                self.assertEqual(answer.status, 201, answer)
        return ids

    def stop_with_five_waiting(self, daemon):
        self.assertEqual(daemon.stop(status=0)[1:6], (5, 0, 5, 0, 0))

    def leave_waiting(self, end, count=5, settings=None):
        """A daemon that is gone, and the ids of the events that wait in its journal; `end` says how it went."""
        daemon = self.start({**HURRIED, **(settings or {})})
        lock = daemon.lock_database()
        try:
            ids = self.post_some(daemon, count)
            end(daemon)
        finally:
            lock.close()
        return daemon, ids


class Restart(JournalTest):
    def test_events_that_wait_are_kept_for_the_next_start(self):
        daemon, ids = self.leave_waiting(self.stop_with_five_waiting)
        after = self.restart(daemon, PATIENT)
        after.wait_until_delivered()
        self.assertCountEqual(after.ids(), ids)
        self.assert_books_balance(after.status())
        self.assertEqual(after.post({"id": "more", "data": 1}).status, 201)
        self.assertEqual(after.stop()[1:6], (6, 6, 0, 0, 0))
        self.assertCountEqual(after.ids(), [*ids, "more"])

    def test_the_figures_go_on_where_they_were(self):
        daemon = self.start()
        self.post_some(daemon, 7)
        self.assertEqual(daemon.stop()[1:6], (7, 7, 0, 0, 0))
        for life in range(3):
            daemon = self.restart(daemon)
            sink = daemon.sink("sqlite")
            self.assertEqual((sink["accepted"], sink["delivered"], sink["duplicates"]), (7 + life, 7 + life, 0), sink)
            self.assert_books_balance(daemon.status())
            self.post_some(daemon, 1, prefix=f"life{life}")
            self.assertEqual(daemon.stop()[1:6], (8 + life, 8 + life, 0, 0, 0))
        self.assertEqual(daemon.count(), 10)

    def test_order_is_kept_over_restarts(self):
        sinks = {"sinks": '[{name="file",kind="file"}]'}
        daemon, ids = self.start(sinks), []
        for life in range(3):
            daemon = daemon if life == 0 else self.restart(daemon)
            ids += self.post_some(daemon, 20, prefix=f"life{life}")
            daemon.stop()
        lines = (daemon.directory / "data" / "events.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], ids)

    def test_the_books_balance_at_every_moment_under_load(self):
        daemon = self.start({"sinks": '[{name="fast",kind="null"},{name="sqlite",kind="sqlite"}]', **PATIENT})
        load = Ledger(daemon.ingest, connections=16).start()
        load.wait_for_created(100)
        before = 0
        for _ in range(100):
            status = daemon.status()
            self.assert_books_balance(status)
            self.assertLessEqual(before, status["sinks"][0]["accepted"])
            before = status["sinks"][0]["accepted"]
        load.stop()
        self.assertEqual(list(load.answers), [201], load.outcome())
        count = len(load.created)
        self.assertEqual(daemon.stop()[1:6], (count, count, 0, 0, 0))

    def test_a_second_signal_leaves_what_waits_to_the_next_start(self):
        daemon = self.start({"sinks": '[{name="slow",kind="log",simulate_latency="1h"}]', **PATIENT})
        self.post_some(daemon)
        daemon.signal()
        daemon.log.wait_for("^stage draining")
        summary = daemon.stop(status=0)
        self.assertEqual((summary.accepted, summary.pending, summary.lost), (5, 5, 0))

    def test_with_pure_defaults(self):
        daemon = self.start({key: None for key in trackd.QUICK})
        status = daemon.status()
        self.assertEqual(status["tracker"]["ack"], "journaled")
        self.assertEqual(set(status["journal"]), {
            "segments", "bytes", "max_bytes", "commits", "damaged_bytes", "torn_bytes", "fulls", "last_commit_us",
            "last_error", "condition", "held_by",
        })
        self.post_some(daemon)
        journal = daemon.journal_status()
        self.assertEqual((journal["condition"], journal["last_error"]), ("good", ""))
        self.assertEqual((journal["segments"], journal["damaged_bytes"], journal["torn_bytes"]), (1, 0, 0))
        self.assertEqual(journal["commits"], 5)
        self.assertGreater(journal["last_commit_us"], 0)
        self.assertLessEqual(journal["bytes"], journal["max_bytes"])
        self.assertEqual(daemon.stop()[1:6], (5, 5, 0, 0, 0))
        self.assertEqual(daemon.count(), 5)

    def test_its_files_are_private_and_named_as_the_manual_says(self):
        daemon = self.start()
        self.post_some(daemon)
        self.assertEqual(stat.S_IMODE(daemon.journal.stat().st_mode), 0o700)
        daemon.stop()
        files = sorted(daemon.journal.iterdir())
        self.assertTrue(daemon.segments())
        self.assertIn("cursors", [path.name for path in files])
        for path in files:
            self.assertRegex(path.name, r"^(\d{20}\.segment|spare-\d+\.segment|cursors|lock|last_run)$")
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path.name)

    def test_another_process_on_the_same_directory_is_refused(self):
        daemon = self.start()
        second = self.restart(daemon, wait=False)
        self.assertRegex(second.refusal(), rf"\b{daemon.pid}\b")
        self.post_some(daemon)
        self.assertEqual(daemon.stop().delivered, 5)
        self.assertEqual(self.restart(daemon).stop()[1:6], (5, 5, 0, 0, 0))


class Memory(JournalTest):
    def test_a_memory_backlog_says_nothing_of_a_journal(self):
        daemon = self.start(trackd.MEMORY)
        self.assertIsNone(daemon.status().get("journal"))
        self.assertFalse(daemon.journal.exists())
        daemon.stop()


class Sync(JournalTest):
    def test_less_than_always_goes_with_accepted_only(self):
        for sync in ("interval", "never"):
            with self.subTest(sync=sync):
                refused = self.start({"journal.sync": sync}, wait=False)
                self.assertIn("journal.sync", refused.refusal())
                daemon = self.start({"journal.sync": sync, "tracker.ack": "accepted"})
                ids = self.post_some(daemon)
                daemon.wait_until_delivered()
                daemon.crash()
                after = self.restart(daemon)
                self.assertEqual(after.stop()[1:6], (5, 5, 0, 0, 0))
                self.assertCountEqual(after.ids(), ids)

    def test_accepted_is_in_the_journal_soon(self):
        daemon, ids = self.leave_waiting(self.stop_with_five_waiting, settings={"tracker.ack": "accepted"})
        after = self.restart(daemon, PATIENT)
        after.wait_until_delivered()
        self.assertCountEqual(after.ids(), ids)


class Sinks(JournalTest):
    SQLITE = '{name="sqlite",kind="sqlite"}'

    def file(self, daemon, name):
        path = daemon.directory / "data" / f"{name}.jsonl"
        return [json.loads(line)["id"] for line in path.read_text().splitlines()]

    def test_a_new_sink_begins_where_it_is_told(self):
        old, ids = self.leave_waiting(trackd.Daemon.crash)
        new = ",".join(f'{{name="{name}",kind="file",path="{{data_dir}}/{name}.jsonl",start="{name}"}}'
                       for name in ("oldest", "newest"))
        daemon = self.restart(old, {"sinks": f"[{self.SQLITE},{new}]", **PATIENT})
        self.assertEqual(daemon.post({"id": "more", "data": 1}).status, 201)
        daemon.wait_until_delivered()
        self.assert_books_balance(daemon.status())
        accepted = {sink["name"]: sink["accepted"] for sink in daemon.status()["sinks"]}
        self.assertEqual(accepted, {"sqlite": 6, "oldest": 6, "newest": 1})
        daemon.stop()
        self.assertCountEqual(daemon.ids(), [*ids, "more"])
        self.assertEqual(self.file(daemon, "oldest"), [*ids, "more"])
        self.assertEqual(self.file(daemon, "newest"), ["more"])

    def test_where_a_sink_begins_matters_once(self):
        sinks = {"sinks": f'[{self.SQLITE},{{name="late",kind="file",path="{{data_dir}}/late.jsonl",start="newest"}}]'}
        daemon = self.start(sinks)
        ids = self.post_some(daemon)
        daemon.stop()
        daemon = self.restart(daemon)
        ids += self.post_some(daemon, prefix="more")
        daemon.stop()
        self.assertEqual(self.file(daemon, "late"), ids)

    def test_a_sink_that_is_gone_is_told_and_can_be_forgotten(self):
        both = self.start({"sinks": f'[{self.SQLITE},{{name="bygone",kind="file"}}]'})
        self.post_some(both)
        both.stop()
        one = self.restart(both, {"sinks": f"[{self.SQLITE}]"})
        one.log.wait_for("bygone")
        self.post_some(one, prefix="more")
        one.stop()

        running = self.restart(one)
        refused = running.tool("forget", "bygone")
        self.assertEqual(refused.returncode, 2, refused)
        self.assertRegex(refused.stderr, rf"\b{running.pid}\b")
        running.stop()

        forgotten = one.tool("forget", "bygone")
        self.assertEqual(forgotten.returncode, 0, forgotten)
        again = one.tool("forget", "bygone")
        self.assertNotEqual(again.returncode, 0, again)
        self.assertIn("bygone", again.stderr)
        last = self.restart(one)
        self.assertFalse(last.log.find("bygone"), last.log.tail())
        self.assertEqual(last.stop()[1:6], (10, 10, 0, 0, 0))

    def test_a_sink_that_is_gone_keeps_its_events_until_it_is_forgotten(self):
        small = {"journal.segment_bytes": "64KiB"}
        both = self.start({"sinks": f'[{self.SQLITE},{{name="bygone",kind="file"}}]', **small})
        both.stop()
        one = self.restart(both, {"sinks": f"[{self.SQLITE}]"})
        load = Ledger(one.ingest, connections=4, requests=200, padding=4096).start()
        load.wait()
        one.stop()
        kept = len(one.segments())
        self.assertGreater(kept, 5)
        self.assertEqual(one.tool("forget", "bygone").returncode, 0)
        last = self.restart(one)
        trackd.wait_until(lambda: last.journal_status()["segments"] < kept / 2, "what nobody waits for is removed")
        last.stop()


class Damage(JournalTest):
    """Of files that somebody else has written to."""

    def segment_with(self, daemon, text):
        found = [path for path in daemon.segments() if text in path.read_bytes()]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def written_bytes(self, path):
        """Up to the last byte that is not zero."""
        return len(path.read_bytes().rstrip(b"\0"))

    def set_aside(self, daemon, suffix):
        return [path.name for path in daemon.journal.iterdir() if path.name.endswith(suffix)]

    def test_a_flipped_byte_costs_one_event_and_is_told(self):
        old, ids = self.leave_waiting(trackd.Daemon.crash, count=9)
        self.assertEqual(old.tool("verify").returncode, 0)
        path = self.segment_with(old, b"the data of e-4")
        data = bytearray(path.read_bytes())
        data[data.index(b"the data of e-4") + 3] ^= 0x20
        path.write_bytes(data)

        verified = old.tool("verify")
        self.assertEqual(verified.returncode, 1, verified)
        self.assertIn(path.name, verified.stdout + verified.stderr)

        daemon = self.restart(old, PATIENT)
        daemon.wait_until_delivered()
        left = [event for event in ids if event != "e-4"]
        self.assertCountEqual(daemon.ids(), left)
        status = daemon.status()
        self.assert_books_balance(status)
        sink = status["sinks"][0]
        self.assertEqual((sink["accepted"], sink["delivered"], sink["damaged"]), (9, 8, 1), sink)
        self.assertGreater(status["journal"]["damaged_bytes"], 0)
        self.assertTrue(daemon.log.find(re.escape(path.name)), daemon.log.tail())
        self.assertEqual(len(self.set_aside(daemon, ".damaged")), 1)
        self.assertEqual(daemon.post({"id": "more", "data": 1}).status, 201)
        summary = daemon.stop(status=0)
        self.assertEqual((summary.accepted, summary.delivered, summary.damaged, summary.lost), (10, 9, 1, 0))
        self.assertCountEqual(daemon.ids(), [*left, "more"])

        again = self.restart(daemon)
        sink = again.sink("sqlite")
        self.assertEqual((sink["accepted"], sink["delivered"], sink["damaged"]), (10, 9, 1), sink)
        again.stop()

    def test_a_header_that_is_gone_costs_what_its_segment_had(self):
        old, ids = self.leave_waiting(trackd.Daemon.crash)
        lock = old.lock_database()
        lock.close()
        path = self.segment_with(old, b"the data of e-0")
        with path.open("r+b") as file:
            file.write(bytes(4096))
        self.assertEqual(old.tool("verify").returncode, 1)
        daemon = self.restart(old, PATIENT)
        daemon.wait_until_delivered()
        self.assertEqual(daemon.ids(), [])
        self.assert_books_balance(daemon.status())
        self.assertTrue(self.set_aside(daemon, ".damaged"))
        self.assertEqual(daemon.post({"id": ids[0], "data": 1}).status, 201)
        daemon.wait_until_delivered()
        self.assertEqual(daemon.ids(), ids[:1])
        daemon.stop()

    def test_a_torn_tail_is_cut_off_and_kept(self):
        old, ids = self.leave_waiting(trackd.Daemon.crash)
        path = self.segment_with(old, b"the data of e-4")
        at = -(-self.written_bytes(path) // 4096) * 4096
        with path.open("r+b") as file:
            file.seek(at)
            file.write(b"what a commit left behind that was never finished")
        self.assert_tail_is_cut_off(old, ids, path)

    def test_a_segment_cut_short_loses_what_was_cut(self):
        old, ids = self.leave_waiting(trackd.Daemon.crash)
        path = self.segment_with(old, b"the data of e-4")
        with path.open("r+b") as file:
            file.truncate(self.written_bytes(path) - 3)
        self.assert_tail_is_cut_off(old, ids[:-1], path)

    def assert_tail_is_cut_off(self, old, ids, path):
        daemon = self.restart(old, PATIENT)
        daemon.wait_until_delivered()
        self.assertCountEqual(daemon.ids(), ids)
        status = daemon.status()
        self.assert_books_balance(status)
        self.assertGreater(status["journal"]["torn_bytes"], 0)
        self.assertEqual(status["journal"]["damaged_bytes"], 0)
        self.assertTrue(daemon.log.find(re.escape(path.name)), daemon.log.tail())
        self.assertEqual(len(self.set_aside(daemon, ".torn")), 1)
        self.assertEqual(daemon.post({"id": "more", "data": 1}).status, 201)
        daemon.stop()
        self.assertCountEqual(daemon.ids(), [*ids, "more"])
        again = self.restart(daemon)
        self.assertEqual(again.journal_status()["torn_bytes"], 0)
        again.stop()

    def test_a_newer_version_is_refused_and_left_alone(self):
        old, _ = self.leave_waiting(trackd.Daemon.crash)
        path = old.segments()[-1]
        data = bytearray(path.read_bytes())
        for half in (0, 2048):  # the header stands there twice: magic, checksum of what follows it, version
            struct.pack_into("<I", data, half + 12, 7)
            struct.pack_into("<I", data, half + 8, crc32c(data[half + 12:half + 2048]))
        path.write_bytes(data)
        checked = trackd.run("check", *old.configuration())
        self.assertEqual(checked.returncode, 2, checked)
        said = self.restart(old, wait=False).refusal(status=2)
        self.assertIn(checked.stderr.strip(), said)
        self.assertIn(path.name, said)
        self.assertRegex(said, r"newer version .*\b7\b")
        self.assertEqual(path.read_bytes(), bytes(data))

    def test_cursors_that_are_gone_cost_nothing_but_work(self):
        daemon = self.start()
        ids = self.post_some(daemon)
        daemon.stop()
        (daemon.journal / "cursors").write_bytes(b"no cursors")
        after = self.restart(daemon)
        after.wait_until_delivered()
        self.assertTrue(after.log.find("cursors"), after.log.tail())
        self.assertEqual(self.set_aside(after, "cursors.damaged"), ["cursors.damaged"])
        self.assertEqual(after.stop().lost, 0)
        self.assertCountEqual(after.ids(), ids)


class Tools(JournalTest):
    def test_list_names_segments_and_sinks(self):
        daemon, _ = self.leave_waiting(trackd.Daemon.crash)
        shown = daemon.tool("list")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""), shown)
        for path in daemon.segments():
            self.assertIn(path.name, shown.stdout)
        self.assertIn("sqlite", shown.stdout)

    def test_verify_is_content_with_a_sound_journal(self):
        daemon, _ = self.leave_waiting(trackd.Daemon.crash)
        done = daemon.tool("verify")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)

    def test_cat_shows_the_events_in_order(self):
        daemon, ids = self.leave_waiting(trackd.Daemon.crash)
        plain = daemon.tool("cat")
        self.assertEqual((plain.returncode, plain.stderr), (0, ""), plain)
        for line, event in zip(plain.stdout.splitlines(), ids, strict=True):
            self.assertIn(event, line)
        self.assertIn(ids[3], daemon.tool("cat", "--from", "4").stdout.splitlines()[0])
        done = daemon.tool("cat", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([event["id"] for event in events], ids)
        self.assertEqual(events[0]["data"], "the data of e-0")

    def test_they_change_nothing_and_may_look_while_it_runs(self):
        daemon = self.start()
        self.post_some(daemon)
        for command in ("list", "verify", "cat"):
            done = daemon.tool(command)
            self.assertEqual(done.returncode, 0, done)
            self.assertTrue(done.stdout, command)
        daemon.stop()
        before = {path.name: path.read_bytes() for path in daemon.journal.iterdir()}
        for command in ("list", "verify", "cat"):
            self.assertEqual(daemon.tool(command).returncode, 0)
        self.assertEqual({path.name: path.read_bytes() for path in daemon.journal.iterdir()}, before)

    def test_a_journal_that_is_not_there(self):
        daemon = self.start(trackd.MEMORY)
        daemon.stop()
        for command in (("list",), ("verify",), ("cat",), ("forget", "sqlite")):
            done = daemon.tool(*command)
            self.assertEqual(done.returncode, 2, done)
            self.assertEqual(len(done.stderr.splitlines()), 1, done)
            self.assertIn(str(daemon.journal), done.stderr)
