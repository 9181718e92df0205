"""Events that a sink will never take: found, put aside, and delivered once what refused them is mended."""
import contextlib
import json
import sqlite3

from support import trackd
from support.raw_http import Connection

POISON = """CREATE TRIGGER no_poison BEFORE INSERT ON events WHEN new.type = 'poison'
            BEGIN SELECT RAISE(ABORT, 'poison is not allowed'); END"""


class DeadLetters(trackd.TestCase):
    def execute(self, daemon, sql):
        with contextlib.closing(sqlite3.connect(daemon.database, timeout=trackd.PATIENCE)) as connection:
            connection.execute(sql)
            connection.commit()

    def start_with_poison(self, count=10_000, poisoned=("e-4711",), settings=None):
        """A daemon whose database refuses these of `count` events, which it has said 201 to."""
        daemon = self.start({"tracker.retry.max": "200ms", **(settings or {})})
        self.execute(daemon, POISON)
        batch = [{"id": f"e-{i}", "source": "test", "type": "poison" if f"e-{i}" in poisoned else "order",
                  "data": {"n": i}} for i in range(count)]
        for start in range(0, count, 5000):
            self.assertEqual(daemon.post(batch[start:start + 5000]).status, 201)
        trackd.wait_until(lambda: daemon.sink("sqlite")["pending"] == 0, "all dealt with")
        return daemon

    def test_one_bad_event_among_ten_thousand_is_put_aside_and_delivered_once_the_table_is_mended(self):
        daemon = self.start_with_poison()
        status = daemon.status()
        self.assert_books_balance(status)
        sink = status["sinks"][0]
        self.assertEqual((sink["delivered"], sink["dead_lettered"], sink["failing"]), (9_999, 1, False))
        self.assertEqual(sink["dead_letters_kept"], 1)
        self.assertEqual(daemon.count(), 9_999)

        shown = daemon.letters("show", "sqlite")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        letter = json.loads(shown.stdout)
        self.assertIn("poison is not allowed", letter["reason"])
        self.assertEqual((letter["event"]["id"], letter["event"]["data"]), ("e-4711", {"n": 4711}))
        self.assertGreaterEqual(letter["attempts"], 1)

        refused = daemon.letters("retry", "sqlite", "--all")
        self.assertEqual((refused.returncode, refused.stdout), (1, "0 delivered, 1 refused again\n"))

        self.execute(daemon, "DROP TRIGGER no_poison")
        retried = daemon.letters("retry", "sqlite", "e-4711")
        self.assertEqual((retried.returncode, retried.stdout), (0, "1 delivered\n"), retried.stderr)
        self.assertEqual(daemon.query("SELECT data FROM events WHERE id = 'e-4711'"), [{"data": '{"n":4711}'}])
        self.assertEqual(daemon.letters("show", "sqlite").stdout, "")
        missed = daemon.letters("drop", "sqlite", "e-4711")
        self.assertEqual((missed.returncode, missed.stdout), (1, "0 dropped, 1 not there\n"))
        sink = daemon.sink("sqlite")
        self.assertEqual((sink["dead_lettered"], sink["dead_letters_kept"]), (1, 0))
        daemon.stop()

    def test_without_a_daemon_the_command_delivers_by_itself(self):
        poisoned = ("e-1", "e-7", "e-8")
        daemon = self.start_with_poison(10, poisoned)
        self.assertEqual(daemon.stop().dead_lettered, 3)
        listed = daemon.letters("list").stdout.splitlines()
        self.assertEqual(listed[0].split()[:3], ["SINK", "LETTERS", "BYTES"])
        self.assertEqual(listed[1].split()[:2], ["sqlite", "3"])

        self.execute(daemon, "DROP TRIGGER no_poison")
        dropped = daemon.letters("drop", "sqlite", "e-7")
        self.assertEqual((dropped.returncode, dropped.stdout), (0, "1 dropped\n"), dropped.stderr)
        retried = daemon.letters("retry", "sqlite", "--all")
        self.assertEqual((retried.returncode, retried.stdout), (0, "2 delivered\n"), retried.stderr)
        self.assertEqual(sorted(daemon.ids()), sorted(f"e-{i}" for i in range(10) if i != 7))

    def test_ids_that_are_not_there_are_counted_by_ids_and_not_by_letters(self):
        daemon = self.start({"tracker.retry.max": "200ms"})
        self.execute(daemon, POISON)
        batch = [{"id": identity, "source": source, "type": "poison", "data": 1}
                 for identity in ("e-1", "e-2", "e-3", "e-4") for source in ("a", "b")]
        batch.append({"id": "good", "source": "a", "type": "order", "data": 1}) # by which they are seen to be at fault
        self.assertEqual(daemon.post(batch).status, 201)
        trackd.wait_until(lambda: daemon.sink("sqlite")["dead_lettered"] == 8, "dead letters")
        self.execute(daemon, "DROP TRIGGER no_poison")

        def check(verb, ids, code, said):
            result = daemon.letters(verb, "sqlite", *ids)
            self.assertEqual((result.returncode, result.stdout), (code, said), result.stderr)

        check("retry", ("e-1", "e-9"), 1, "2 delivered, 1 not there\n")
        check("drop", ("e-2", "e-2"), 0, "2 dropped\n")
        daemon.stop()
        check("retry", ("e-3", "e-3"), 0, "2 delivered\n")
        check("drop", ("e-4", "e-9", "e-9"), 1, "2 dropped, 1 not there\n")

    def test_what_is_dead_stays_counted_over_a_restart(self):
        daemon = self.start_with_poison(10, ("e-3",))
        daemon.stop()
        again = self.restart(daemon)
        sink = again.sink("sqlite")
        self.assertEqual((sink["delivered"], sink["dead_lettered"]), (9, 1))
        self.assert_books_balance(again.status())

    def test_when_no_more_are_kept_the_sink_stops_and_says_so_and_drops_nothing(self):
        # Each is a little more than 1 MiB in the file, by which it is full.
        daemon = self.start({"tracker.retry.max": "200ms", "dead_letters.max_bytes": "1MiB"})
        self.execute(daemon, POISON)
        self.assertEqual(daemon.post({"id": "e-1", "source": "test", "type": "poison", "data": "x" * 600_000}).status, 201)
        self.assertEqual(daemon.post({"id": "e-2", "source": "test", "type": "order", "data": 1}).status, 201)
        sink = trackd.wait_until(lambda: (s := daemon.sink("sqlite"))["failing"] and s, "failing")
        self.assertIn("dead_letters.max_bytes", sink["last_error"])
        self.assertEqual((sink["dead_lettered"], sink["pending"]), (0, 2))
        self.execute(daemon, "DROP TRIGGER no_poison")
        daemon.wait_until_delivered()
        self.assertEqual(sorted(daemon.ids()), ["e-1", "e-2"])
        daemon.stop()

    def test_what_fails_for_too_long_becomes_dead_letters_and_can_be_delivered_later(self):
        daemon = self.start({"tracker.retry.min": "10ms", "tracker.retry.max": "50ms", "tracker.retry.max_age": "1s"})
        self.execute(daemon, "ALTER TABLE events RENAME TO others")
        self.assertEqual(daemon.post({"id": "e-1", "source": "test", "type": "order", "data": 1}).status, 201)
        trackd.wait_until(lambda: daemon.sink("sqlite")["dead_lettered"] == 1, "a dead letter")
        self.execute(daemon, "ALTER TABLE others RENAME TO events")
        retried = daemon.letters("retry", "sqlite", "--all")
        self.assertEqual((retried.returncode, retried.stdout), (0, "1 delivered\n"), retried.stderr)
        self.assertEqual(daemon.ids(), ["e-1"])
        daemon.stop()

    def test_a_command_that_cannot_be_meant_is_refused(self):
        daemon = self.start()
        for command, expected in (
            (("retry", "sqlite"), "expected one of them"),
            (("drop", "sqlite", "e-1", "--all"), "expected one of them"),
            (("retry", "other", "--all"), "no sink is named other; there is sqlite"),
            (("show",), "SINK is required"),
        ):
            with self.subTest(command):
                result = daemon.letters(*command)
                self.assertEqual(result.returncode, 2, result)
                self.assertIn(expected, result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1)

    def test_the_daemon_answers_a_bad_request_for_its_letters_with_what_it_expected(self):
        daemon = self.start()
        for body in ("", "{}", '{"all":false}', '{"ids":[]}', '{"ids":[1]}', '{"all":true,"ids":["a"]}', "["):
            with self.subTest(body), Connection(daemon.admin) as connection:
                answer = connection.request("POST", "/dead-letters/sqlite/retry", body)
                self.assert_problem(answer, 400, '{"all":true}')
        with Connection(daemon.admin) as connection:
            self.assert_problem(connection.request("POST", "/dead-letters/nobody/drop", '{"all":true}'), 404, "nobody")


    def test_letters_of_a_sink_that_is_not_configured_any_more_can_be_seen_and_dropped(self):
        before = self.start_with_poison(10, ("e-1", "e-2", "e-3"))
        before.stop()
        daemon = self.restart(before, {"sinks": '[{name="other",kind="null"}]'})
        listed = [line.split()[:4] for line in daemon.letters("list").stdout.splitlines()]
        self.assertEqual([line[:2] + line[3:] for line in listed],
                         [["SINK", "LETTERS", "CONFIGURED"], ["other", "0", "yes"], ["sqlite", "3", "no"]])
        shown = daemon.letters("show", "sqlite", "e-2")
        self.assertEqual(json.loads(shown.stdout)["event"]["id"], "e-2", shown)

        why = "sink sqlite is not configured any more: nobody is there to take its dead letters"
        retried = daemon.letters("retry", "sqlite", "--all")
        self.assertEqual((retried.returncode, retried.stdout), (2, ""))
        self.assertIn(why, retried.stderr)
        with Connection(daemon.admin) as connection:
            report = connection.request("POST", "/dead-letters/sqlite/retry", '{"all":true}').json()
        self.assertEqual((report["gone"], report["refused"]), (0, 0))
        self.assertIn(why, report["error"])

        dropped = daemon.letters("drop", "sqlite", "e-1")
        self.assertEqual((dropped.returncode, dropped.stdout), (0, "1 dropped\n"), dropped.stderr)
        daemon.stop()
        self.assertEqual(len(daemon.letters("show", "sqlite").stdout.splitlines()), 2)
        dropped = daemon.letters("drop", "sqlite", "--all")
        self.assertEqual((dropped.returncode, dropped.stdout), (0, "2 dropped\n"), dropped.stderr)
        self.assertNotIn("sqlite", daemon.letters("list").stdout)
        self.assertIn("no sink is named sqlite; there is other", daemon.letters("show", "sqlite").stderr)

    def test_what_lies_beside_the_letters_keeps_nobody_from_starting(self):
        place = self.empty_directory()
        letters = place / "data" / "dead-letters"
        letters.mkdir(parents=True)
        for name in ("gone.jsonl", "no name.jsonl", "notes.txt"):
            (letters / name).write_text("half a line")
        (letters / "directory.jsonl").mkdir()
        daemon = self.start(directory=place)
        self.assertTrue(daemon.log.find("sink gone: its dead letters: .*; it is not configured any more"))
        listed = daemon.letters("list")
        self.assertEqual(listed.returncode, 0, listed)
        self.assertEqual([line.split()[0] for line in listed.stdout.splitlines()], ["SINK", "sqlite", "gone"])
        with Connection(daemon.admin) as connection:
            for name in ("gone", "no%20name", "directory", "..%2Fdead-letters%2Fgone"):
                answer = connection.request("POST", f"/dead-letters/{name}/drop", '{"all":true}')
                self.assert_problem(answer, 404, "no sink is named")
        daemon.stop()
        refused = daemon.letters("drop", "gone", "--all")
        self.assertEqual(refused.returncode, 2, refused)
        self.assertIn("trackd: the dead letters of gone cannot be used as they are", refused.stderr)
        self.assertIn("it ends within a line that trackd did not write", refused.stderr)
        self.assertEqual((letters / "gone.jsonl").read_text(), "half a line")


class Routes(trackd.TestCase):
    def test_each_sink_gets_what_its_route_wants_and_the_books_say_what_it_did_not(self):
        daemon = self.start({"sinks": """[{name="orders",kind="file",path="orders.jsonl",types=["order.*","!order.debug"]},
            {name="shop",kind="file",path="shop.jsonl",sources=["shop"]},{name="all",kind="file",path="all.jsonl"}]"""})
        for number, (kind, source) in enumerate((("order.created", "shop"), ("order.debug", "shop"), ("page", "blog"),
                                                 ("order.paid", "blog"))):
            self.assertEqual(daemon.post({"id": f"e-{number}", "source": source, "type": kind, "data": 1}).status, 201)
        daemon.wait_until_delivered()
        status = daemon.status()
        self.assert_books_balance(status)
        self.assertEqual([(s["name"], s["delivered"], s["filtered"]) for s in status["sinks"]],
                         [("orders", 2, 2), ("shop", 2, 2), ("all", 4, 0)])
        daemon.stop()
        ids = {name: [json.loads(line)["id"] for line in (daemon.directory / f"{name}.jsonl").read_text().splitlines()]
               for name in ("orders", "shop", "all")}
        self.assertEqual(ids, {"orders": ["e-0", "e-3"], "shop": ["e-0", "e-1"], "all": ["e-0", "e-1", "e-2", "e-3"]})


class SkippingSink(trackd.TestCase):
    def test_a_sink_that_is_not_required_and_hangs_does_not_stop_the_others(self):
        daemon = self.start({
            "sinks": """[{name="good",kind="null"},
                {name="bad",kind="sqlite",required=false,on_full="skip"}]""",
            "journal.segment_bytes": "1MiB", "journal.max_bytes": "4MiB", "tracker.retry.max": "200ms",
        })
        lock = daemon.lock_database()
        event = {"source": "test", "type": "order", "data": "x" * 10_000}
        refused = 0
        with daemon.connect() as connection:
            body = json.dumps([event] * 50)
            for _ in range(40):  # 20 MB through a journal of 4 MiB
                while (answer := connection.request("POST", "/events", body, Content_Type="application/json")).status == 503:
                    refused += 1
                    trackd.wait_until(lambda: daemon.journal_status()["condition"] == "good", "room")
                self.assertEqual(answer.status, 201, answer)
        trackd.wait_until(lambda: daemon.sink("good")["delivered"] == 2000, "delivered")
        bad = daemon.sink("bad")
        self.assertGreater(bad["skipped"], 1000)
        self.assert_books_balance(daemon.status())
        lock.close()
        daemon.wait_until_delivered()
        bad = daemon.sink("bad")
        self.assertEqual(bad["delivered"] + bad["skipped"], 2000)
        self.assertEqual(daemon.count(), bad["delivered"])
        daemon.stop()
