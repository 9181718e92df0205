"""`trackd sink`: a sink is paused, resumed, tried now, skipped and forgotten while the daemon runs."""
import json
import threading

from support import trackd
from support.http_target import HttpTarget
from support.raw_http import Connection

TOKEN = "0123456789abcdef-right"
ACTIONS = ("pause", "resume", "retry", "skip", "forget")
CONFIRMED = '{"confirm":true}'
COPY = '{name="copy",kind="null"}'
SLOW_RETRIES = {"tracker.retry.min": "1h", "tracker.retry.max": "1h"}
QUICK_RETRIES = {"tracker.retry.min": "10ms", "tracker.retry.max": "50ms"}


def events(first, count, kind="order.new", size=10):
    return [{"id": f"e-{number}", "source": "test", "type": kind, "data": "x" * size}
            for number in range(first, first + count)]


class Case(trackd.TestCase):
    def start_with_target(self, settings=None, others=(COPY,), **options):
        self.target = HttpTarget.start(self)
        return self.start({"sinks": self.sinks(*others, **options), **QUICK_RETRIES, **(settings or {})})

    def sinks(self, *others, **options):
        return "[" + ",".join([self.target.sink(**options)[1:-1], *others]) + "]"

    def post(self, daemon, first, count, **options):
        self.assertEqual(daemon.post(events(first, count, **options)).status, 201)

    def done(self, daemon, *command):
        """What the command says, which has to work."""
        result = daemon.command("sink", *command)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        return result.stdout

    def refused(self, daemon, *command):
        result = daemon.command("sink", *command)
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (2, "", 1), result)
        return result.stderr

    def control(self, daemon, sink, action, **headers):
        return daemon.ask(f"/sinks/{sink}/{action}", "POST", CONFIRMED if action == "skip" else "", **headers)

    def wait_for(self, daemon, sink, **figures):
        def there():
            found = daemon.sink(sink)
            return found if all(found[name] == value for name, value in figures.items()) else None
        return trackd.wait_until(there, f"{sink} with {figures}")


class Pause(Case):
    def test_a_paused_sink_gets_nothing_and_then_everything_in_order(self):
        daemon = self.start_with_target({"readiness.require_sinks": "http", "readiness.sink_grace": 0})
        said = self.done(daemon, "pause", "http")
        self.assertEqual(said, "http is paused; 0 events pending; the pause ends with `trackd sink resume http` or a restart\n")
        self.assertTrue(daemon.log.wait_for("sink http: paused by the operator"))
        self.assertIn("is paused already", self.done(daemon, "pause", "http"))
        for number in range(5):
            self.post(daemon, number, 1)
        self.wait_for(daemon, "copy", delivered=5, paused=False)
        sink = self.wait_for(daemon, "http", pending=5, paused=True)
        self.assertEqual((sink["failing"], sink["caught_up_in_seconds"], self.target.requests), (False, None, []))
        self.assert_books_balance(daemon.status())
        self.assertEqual(daemon.ask("/readyz").status, 200, "an operator's decision is no failure")
        self.assertEqual(daemon.ask("/healthz").status, 200)
        self.assertRegex(daemon.command("status").stdout, r"(?m)^http +http +0 +5 .* paused for \d+s$")
        self.assertIn('trackd_sink_paused{sink="http"} 1\n', daemon.ask("/metrics").body.decode())
        self.assertIn('trackd_sink_paused{sink="copy"} 0\n', daemon.ask("/metrics").body.decode())
        self.assertEqual(self.done(daemon, "resume", "http"), "http is resumed; 5 events pending\n")
        self.wait_for(daemon, "http", pending=0, paused=False, delivered=5)
        self.assertEqual(self.target.ids(), [f"e-{number}" for number in range(5)])
        self.assertIn("is not paused", self.done(daemon, "resume", "http"))
        daemon.stop()

    def test_the_write_under_way_comes_to_its_end(self):
        daemon = self.start_with_target(batch_events=1)
        self.target.hold()
        self.post(daemon, 0, 3)
        self.assertTrue(self.target.held.wait(trackd.PATIENCE))
        self.assertEqual(self.control(daemon, "http", "pause").json(), {"sink": "http", "changed": True, "events": 3})
        self.target.release()
        self.wait_for(daemon, "http", delivered=1, pending=2, paused=True)
        self.assertEqual(self.target.ids(), ["e-0"])
        self.assertEqual(self.control(daemon, "http", "resume").json()["changed"], True)
        self.wait_for(daemon, "http", delivered=3)
        self.assertEqual(self.target.ids(), ["e-0", "e-1", "e-2"])
        daemon.stop()

    def test_a_stop_keeps_its_events_and_the_next_start_delivers_them(self):
        daemon = self.start_with_target()
        self.done(daemon, "pause", "http")
        self.post(daemon, 0, 7)
        self.wait_for(daemon, "copy", delivered=7)
        summary = daemon.stop()
        self.assertEqual((summary.pending, summary.lost, self.target.requests), (7, 0, []))
        again = self.restart(daemon)
        self.wait_for(again, "http", delivered=7, paused=False)
        again.stop()

    def test_with_a_backlog_in_memory_a_stop_delivers_them(self):
        daemon = self.start_with_target(trackd.MEMORY)
        self.done(daemon, "pause", "http")
        self.post(daemon, 0, 7)
        self.wait_for(daemon, "http", pending=7)
        summary = daemon.stop()
        self.assertEqual((summary.pending, summary.lost, len(self.target.events())), (0, 0, 7))

    def test_an_answer_that_waits_for_it_says_that_the_event_is_stored(self):
        daemon = self.start_with_target({"tracker.ack": "delivered", "tracker.ack_timeout": "200ms"})
        self.done(daemon, "pause", "http")
        self.assertEqual(self.assert_problem(daemon.post(events(0, 1)), 503), "not-confirmed")
        self.done(daemon, "resume", "http")
        self.wait_for(daemon, "http", delivered=1)
        daemon.stop()

    def test_its_dead_letters_are_not_written_either(self):
        daemon = self.start_with_target()
        self.target.answer_where(lambda those: 422 if any(e["type"] == "order.bad" for e in those) else None)
        self.post(daemon, 0, 3)
        self.post(daemon, 3, 1, kind="order.bad")
        self.post(daemon, 4, 3)
        self.wait_for(daemon, "http", dead_lettered=1, pending=0)
        self.target.answer_where(None)
        self.done(daemon, "pause", "http")
        refused = daemon.letters("retry", "http", "--all")
        self.assertNotEqual(refused.returncode, 0, refused)
        self.assertIn("trackd sink resume http", refused.stderr + refused.stdout)
        self.done(daemon, "resume", "http")
        self.assertEqual(daemon.letters("retry", "http", "--all").stdout, "1 delivered\n")
        daemon.stop()


class Retry(Case):
    def test_a_retry_ends_the_delay(self):
        daemon = self.start_with_target(SLOW_RETRIES)
        self.target.answer(500, times=2)
        self.post(daemon, 0, 2)
        self.wait_for(daemon, "http", failing=True)
        self.assertEqual(self.done(daemon, "retry", "http"), "http is tried now; 2 events pending\n")
        trackd.wait_until(lambda: len(self.target.refused) == 2, "tried again")
        trackd.wait_until(lambda: self.control(daemon, "http", "retry").json()["changed"], "a delay to end")
        self.wait_for(daemon, "http", failing=False, delivered=2)
        self.assertIn("http is not waiting for a retry", self.done(daemon, "retry", "http"))
        daemon.stop()

    def test_a_paused_sink_is_resumed_first(self):
        daemon = self.start_with_target()
        self.done(daemon, "pause", "http")
        self.assertIn("is paused; resume it first", self.refused(daemon, "retry", "http"))
        self.assertEqual(self.assert_problem(self.control(daemon, "http", "retry"), 409), "paused-sink")
        daemon.stop()


class LettingGo(Case):
    SMALL = {"journal.segment_bytes": "1MiB", "journal.max_bytes": "4MiB"}

    def fill(self, daemon, most=100):
        """Posts until the journal is full."""
        for number in range(most):
            if daemon.post(events(1000 * number, 100, size=1000)).status == 503:
                return
        self.fail("the journal has not filled up")

    def test_what_a_configured_sink_has_pending_is_skipped_and_makes_room(self):
        daemon = self.start_with_target({**self.SMALL, **SLOW_RETRIES})
        self.target.answer_where(lambda _: 500)
        self.fill(daemon)
        pending = daemon.sink("http")["pending"]
        self.assertIn("found no --yes", self.refused(daemon, "skip", "http"))
        self.assertEqual(self.assert_problem(daemon.ask("/sinks/http/skip", "POST"), 400, CONFIRMED), "not-confirmed")
        self.assertIn("trackd sink skip http --yes", self.refused(daemon, "forget", "http"))
        self.assertEqual(daemon.sink("http")["skipped"], 0)
        self.assertEqual(self.done(daemon, "skip", "http", "--yes"), f"http skipped {pending} events\n")
        sink = self.wait_for(daemon, "http", skipped=pending, pending=0)
        self.assert_books_balance(daemon.status())
        trackd.wait_until(lambda: daemon.post(events(900_000, 1)).status == 201, "room")
        self.target.answer_where(None)
        self.done(daemon, "retry", "http")
        self.wait_for(daemon, "http", delivered=1, skipped=sink["skipped"])
        self.assertEqual(self.target.ids(), ["e-900000"])
        daemon.stop()
        again = self.restart(daemon)
        self.assertEqual(again.sink("http")["skipped"], pending)
        again.stop()

    def test_a_removed_sink_that_fills_the_journal_is_forgotten_while_the_daemon_runs(self):
        before = self.start_with_target(self.SMALL)
        self.done(before, "pause", "http")
        self.fill(before)
        before.stop()
        daemon = self.restart(before, {"sinks": f"[{COPY}]"})
        self.assertTrue(daemon.log.wait_for("sink http is not configured any more.*`trackd sink forget http`"))
        self.assertEqual(daemon.post(events(900_000, 100, size=1000)).status, 503)
        for action in ("pause", "resume", "retry", "skip"):
            self.assertEqual(self.assert_problem(self.control(daemon, "http", action), 409), "removed-sink")
        self.assertIn("no sink is named other; there is copy; not configured any more: http",
                      self.refused(daemon, "forget", "other"))
        kept = daemon.status()["sinks"][0]["accepted"]
        self.assertRegex(self.done(daemon, "forget", "http"), r"^forgot http; \d{3,} events were kept for it\n$")
        self.assertGreater(kept, 0)
        trackd.wait_until(lambda: daemon.post(events(900_000, 100, size=1000)).status == 201, "room")
        self.assertLessEqual(len(daemon.segments()), 2)
        self.assertEqual(self.assert_problem(self.control(daemon, "http", "forget"), 404, "there is copy"), "no-such-sink")
        self.assert_books_balance(daemon.status())
        daemon.crash()
        again = self.restart(daemon, {"sinks": f"[{COPY}]"})
        self.assertFalse(again.log.find("is not configured any more"))
        self.wait_for(again, "copy", pending=0)
        again.stop()


class Access(Case):
    def test_the_token_is_needed(self):
        daemon = self.start_with_target({"admin.token": TOKEN})
        for action in ACTIONS:
            for wrong in ("", f"Bearer {TOKEN}x"):
                answer = self.control(daemon, "http", action, Authorization=wrong)
                self.assertEqual(self.assert_problem(answer, 401, "admin.token"), "unauthorized")
        self.assertFalse(daemon.sink("http")["paused"])
        self.assertIn("is paused", self.done(daemon, "pause", "http"))
        daemon.settings["admin.token"] = TOKEN + "x"
        result = daemon.command("sink", "resume", "http")
        self.assertEqual((result.returncode, result.stdout), (1, ""), result)
        self.assertIn("does not know this admin.token", result.stderr)
        daemon.settings["admin.token"] = TOKEN
        self.assertTrue(daemon.sink("http")["paused"])
        daemon.stop()

    def test_the_page_of_another_site_is_refused(self):
        daemon = self.start_with_target()
        link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
        for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, link,
                        {"Host": "evil.example"}):
            for action in ACTIONS:
                self.assert_problem(self.control(daemon, "http", action, **headers), 403)
        self.assertEqual([sink["paused"] for sink in daemon.status()["sinks"]], [False, False])
        daemon.stop()

    def test_a_get_changes_nothing_and_an_unknown_sink_is_not_found(self):
        daemon = self.start_with_target()
        for action in ACTIONS:
            self.assertEqual(daemon.ask(f"/sinks/http/{action}").status, 405)
            problem = self.assert_problem(self.control(daemon, "other", action), 404, "other", "there is http, copy")
            self.assertEqual(problem, "no-such-sink")
        self.assertIn("no sink is named other; there is http, copy", self.refused(daemon, "pause", "other"))
        self.assertIn("expected letters, digits, - and _", self.refused(daemon, "pause", "no/name"))
        self.assertFalse(daemon.sink("http")["paused"])
        daemon.stop()

    def test_without_a_daemon_there_is_no_answer(self):
        daemon = self.start_with_target()
        daemon.stop()
        result = daemon.command("sink", "pause", "http")
        self.assertEqual((result.returncode, result.stdout), (1, ""), result)
        self.assertIn("is the daemon running?", result.stderr)


class Books(Case):
    """accepted = delivered + pending + filtered + dead_lettered + skipped + damaged + lost, whatever happens."""
    ROUNDS = 240
    OPTIONAL = '{name="optional",kind="sqlite",required=false,on_full="skip",types=["order.*"]}'
    PAGES = '{name="pages",kind="file",path="pages.jsonl",types=["page.*"]}'

    def setUp(self):
        self.stopped = threading.Event()
        self.answers = []

    def send(self, daemon):
        """Posts until the rounds are over, at most so often."""
        kinds = ("order.new", "page.view", "order.bad", "order.paid", "page.bad", "other")
        with Connection(daemon.ingest) as connection:
            for number in range(20_000):
                if self.stopped.is_set():
                    return
                some = [{"id": f"b-{number}-{i}", "source": "test", "data": "x" * (200 * (i % 7)),
                         "type": kinds[0 if i > 12 else (number + i) % len(kinds)]} for i in range(25)]
                answer = connection.request("POST", "/events", json.dumps(some), Content_Type="application/json")
                self.answers.append(answer.status)
                self.stopped.wait(0.005)

    def plan(self, daemon):
        """What is done before the round with that number."""
        lock = []
        return {
            20: lambda: self.target.answer_where(lambda _: 500),
            35: lambda: self.done(daemon, "retry", "http"),
            40: lambda: self.target.answer_where(self.bad),
            60: lambda: self.done(daemon, "pause", "pages"),
            70: lambda: self.done(daemon, "pause", "http"),
            80: lambda: lock.append(daemon.lock_database()),
            90: lambda: self.done(daemon, "forget", "gone"),
            100: lambda: self.done(daemon, "skip", "http", "--yes"),
            110: lambda: self.done(daemon, "resume", "http"),
            120: lambda: self.target.answer_where(lambda _: 503),
            130: lambda: self.done(daemon, "skip", "http", "--yes"),
            140: lambda: self.done(daemon, "skip", "optional", "--yes"),
            150: lambda: self.done(daemon, "resume", "pages"),
            160: lambda: lock[0].close(),
            170: lambda: self.target.answer_where(self.bad),
            180: lambda: self.done(daemon, "skip", "pages", "--yes"),
            190: lambda: self.done(daemon, "pause", "optional"),
            200: lambda: self.done(daemon, "resume", "optional"),
        }

    @staticmethod
    def bad(those):
        return 422 if any(event["type"] == "order.bad" for event in those) else None

    def test_they_balance_at_every_status_while_sinks_refuse_recover_are_paused_skipped_and_forgotten(self):
        gone = '{name="gone",kind="null"}'
        small = {"journal.segment_bytes": "1MiB", "journal.max_bytes": "16MiB"}
        before = self.start_with_target(small, (self.OPTIONAL, self.PAGES, gone), types=["order.*"])
        self.done(before, "pause", "gone")
        self.post(before, 0, 100)
        before.stop()
        daemon = self.restart(before, {"sinks": self.sinks(self.OPTIONAL, self.PAGES, types=["order.*"])})
        self.target.answer_where(self.bad)
        sender = threading.Thread(target=self.send, args=(daemon,))
        sender.start()
        try:
            plan = self.plan(daemon)
            for number in range(self.ROUNDS):
                plan.get(number, lambda: None)()
                self.assert_books_balance(daemon.status())
        finally:
            self.stopped.set()
            sender.join(trackd.PATIENCE)
        trackd.wait_until(lambda: not any(sink["pending"] for sink in self.balanced(daemon)), "nothing pending")
        sinks = {sink["name"]: sink for sink in self.balanced(daemon)}
        self.assertEqual(set(sinks), {"http", "optional", "pages"})
        for name, sink in sinks.items():
            self.assertGreater(min(sink["delivered"], sink["filtered"]), 0, sink)
            self.assertEqual((sink["lost"], sink["damaged"], sink["accepted"]), (0, 0, 100 + 25 * self.answers.count(201)))
        self.assertGreater(min(sinks["http"]["skipped"], sinks["http"]["dead_lettered"]), 0, sinks["http"])
        self.assertEqual(len(set(self.target.ids())), sinks["http"]["delivered"])
        self.assertEqual(daemon.count(), sinks["optional"]["delivered"])
        daemon.stop()

    def balanced(self, daemon):
        status = daemon.status()
        self.assert_books_balance(status)
        return status["sinks"]
