"""Sinks end to end: files of JSON Lines, log lines, several at once."""
import json
import shutil

from support import trackd
from support.load import Ledger


class FileSink(trackd.TestCase):
    def lines(self, daemon, pattern="*.jsonl*"):
        return [json.loads(line) for line in trackd.lines(daemon.directory / "data", pattern)]

    def test_every_line_is_a_cloudevent(self):
        daemon = self.start({"sinks": '[{name="archive",kind="file"}]'})
        posts = (
            ('{"id":"e-1","source":"/shop","type":"order","time":"2026-01-02T03:04:05Z","data":{"n":1}}',
             "application/json"),
            ('{"n":2}', "application/json"),
            (b"\x00\xff", "image/png"),
            ("text\nof two lines", "text/plain"),
        )
        with daemon.connect() as connection:  # on one connection, so that they have an order
            for body, content_type in posts:
                self.assertEqual(connection.request("POST", "/events", body, Content_Type=content_type).status, 201)
        self.assertEqual(daemon.stop().delivered, 4)
        short, whole, binary, text = self.lines(daemon)
        for event in (short, whole, binary, text):
            self.assertEqual(event["specversion"], "1.0")
            self.assertTrue(event["id"] and event["source"] and event["type"])
        self.assertEqual((short["id"], short["source"], short["type"]), ("e-1", "/shop", "order"))
        self.assertEqual(short["data"], {"n": 1})
        self.assertTrue(short["time"].startswith("2026-01-02T03:04:05"))
        self.assertEqual(whole["data"], {"n": 2})
        self.assertEqual((binary["data_base64"], binary["datacontenttype"]), ("AP8=", "image/png"))
        self.assertEqual((text["data"], text["datacontenttype"]), ("text\nof two lines", "text/plain"))

    def test_files_are_rotated_by_size_and_nothing_is_lost(self):
        daemon = self.start({"sinks": '[{name="archive",kind="file",rotate_bytes="4KiB"}]'})
        with daemon.connect() as connection:
            for number in range(200):
                body = f'{{"id":"e-{number}","data":1}}'
                self.assertEqual(connection.request("POST", "/events", body).status, 201)
                if number % 20 == 0:
                    trackd.wait_until(lambda: daemon.sink("archive")["pending"] == 0, "written")
        self.assertEqual(daemon.stop().delivered, 200)
        self.assertGreater(len(list((daemon.directory / "data").glob("*.jsonl*"))), 2)
        self.assertCountEqual([event["id"] for event in self.lines(daemon)], [f"e-{n}" for n in range(200)])

    def test_every_201_is_one_line_however_often_it_is_killed(self):
        self.kill_and_count('rotate_bytes="16KiB"')

    def test_the_same_with_closed_files_packed(self):
        if not shutil.which("zstd"):
            self.skipTest("zstd is not installed")
        daemon = self.kill_and_count('rotate_bytes="16KiB",compress="zstd"')
        self.assertGreater(len(list((daemon.directory / "data").glob("*.zst"))), 10)
        self.assertEqual(list((daemon.directory / "data").glob("*.new")), [])

    def test_what_came_before_the_first_cursors_is_one_line_too(self):
        daemon = self.start({"sinks": '[{name="archive",kind="file"}]'})
        self.post_numbers(daemon, 0, 100)
        daemon.wait_until_delivered()
        daemon.crash()
        daemon = self.restart(daemon)
        self.post_numbers(daemon, 100, 1)
        daemon.wait_until_delivered()
        self.assert_books_balance(daemon.status())
        self.assertEqual(daemon.stop().delivered, 101)
        self.assertEqual([event["id"] for event in self.lines(daemon)], [f"e-{n}" for n in range(101)])

    def kill_and_count(self, options, lives=4):
        """Kills it under load several times, and holds the lines of all files against the answers."""
        first = daemon = self.start({"sinks": f'[{{name="archive",kind="file",{options}}}]'})
        loads = []
        for life in range(lives):
            daemon = daemon if life == 0 else self.restart(first)
            load = Ledger(daemon.ingest, connections=16, prefix=f"life{life}", padding=100)
            load.start().wait_for_created(500)
            trackd.wait_until(lambda: daemon.sink("archive")["delivered"] > 0, "some are written")
            daemon.crash()
            load.wait()
            loads.append(load)
        daemon = self.restart(first)
        daemon.wait_until_delivered()
        self.assert_books_balance(daemon.status())
        self.assertEqual(daemon.stop().pending, 0)
        ids = [event["id"] for event in self.lines(daemon)]
        self.assertEqual(len(ids), len(set(ids)), "written more than once")
        self.assertEqual({event for load in loads for event in load.created} - set(ids), set(), "201, and not there")
        self.assertEqual(set(ids) - {event for load in loads for event in load.sent}, set(), "there, and never sent")
        return daemon


class LogSink(trackd.TestCase):
    def test_one_line_an_event_that_cannot_be_forged(self):
        daemon = self.start({"sinks": '[{name="shown",kind="log"}]'})
        self.assertEqual(daemon.post({"id": "plain", "data": {"n": 1}}).status, 201)
        forged = 'line\n{"time":"x","level":"error","message":"forged"}\u001b[2J'
        self.assertEqual(daemon.post({"id": "json", "data": forged}).status, 201)
        self.assertEqual(daemon.post(forged, content_type="text/plain").status, 201)
        daemon.stop()
        self.assertTrue(daemon.log.find('"id":"plain"'))
        self.assertEqual(sum("forged" in entry["message"] for entry in daemon.log.entries), 2)
        self.assertFalse(any(entry["message"] == "forged" for entry in daemon.log.entries))


class SeveralSinks(trackd.TestCase):
    SINKS = """[{name="main",kind="sqlite"}, {name="copy",kind="file"}, {name="shown",kind="log"},
                {name="gone",kind="null"}]"""

    def test_each_gets_every_event(self):
        daemon = self.start({"sinks": self.SINKS})
        events = [{"id": f"e-{number}", "data": number} for number in range(100)]
        self.assertEqual(daemon.post(events).json(), {"accepted": 100})
        trackd.wait_until(lambda: all(s["delivered"] == 100 for s in daemon.status()["sinks"]), "all delivered")
        status = daemon.status()
        self.assert_books_balance(status)
        self.assertEqual([(s["name"], s["kind"]) for s in status["sinks"]],
                         [("main", "sqlite"), ("copy", "file"), ("shown", "log"), ("gone", "null")])
        self.assertEqual(daemon.stop()[1:6], (100, 100, 0, 0, 0))
        self.assertEqual(len(daemon.ids()), 100)
        lines = (daemon.directory / "data" / "events.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], [event["id"] for event in events])

    def test_a_stalled_sink_holds_up_no_other(self):
        daemon = self.start({"sinks": '[{name="sqlite",kind="sqlite"},{name="copy",kind="file"}]',
                             "tracker.retry.max": "200ms"})
        self.assertEqual(daemon.post({"id": "first", "data": 1}).status, 201)
        daemon.rows(1)
        lock = daemon.lock_database()
        try:
            self.assertEqual(daemon.post({"id": "second", "data": 1}).status, 201)
            trackd.wait_until(lambda: daemon.sink("copy")["delivered"] == 2, "the file has both")
            self.assertEqual(daemon.sink("sqlite")["pending"], 1)
        finally:
            lock.close()
        self.assertEqual(daemon.stop().delivered, 2)
        self.assertCountEqual(daemon.ids(), ["first", "second"])
