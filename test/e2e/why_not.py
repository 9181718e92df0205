"""Why did my event not arrive? The page, /status, `trackd status` and the log answer it, for each cause; and what is
recorded of rejected requests has neither a key nor anything of a body in it."""
import contextlib
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess

from support import trackd
from support.raw_http import request_bytes

KEY = "trk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
WRONG = "trk_wrong6789abcdefghijklmnopqrstuvwxyzABCDEFG"
SECRET = "Rosalind-Elsie-7"  # of bodies and queries: nothing of them may be shown
RENDERER = trackd.ROOT / "test" / "support" / "render_page.mjs"
POISON = """CREATE TRIGGER no_poison BEFORE INSERT ON events WHEN new.type = 'poison'
            BEGIN SELECT RAISE(ABORT, 'poison is not allowed'); END"""


def keys():
    return {"keys": f'[{{name="web",sha256="{hashlib.sha256(KEY.encode()).hexdigest()}"}}]'}


def rejections(daemon):
    return daemon.ask("/debug/rejections").json()


def counts(daemon):
    return {(each["status"], each["reason"]): each["count"] for each in rejections(daemon)["by_reason"]}


def page_text(test, daemon):
    """What the dashboard shows of this daemon."""
    page = daemon.ask("/").body.decode()
    if not shutil.which("node"):
        test.skipTest("node is missing, which runs the page's script")
    done = subprocess.run(["node", RENDERER], input=json.dumps({"page": page, "status": daemon.status()}),
                          capture_output=True, text=True, timeout=trackd.PATIENCE)
    test.assertEqual(done.returncode, 0, done.stderr)
    shown = json.loads(done.stdout)
    text = [shown["sinks"]["text"]]
    for section, parts in {"rejections": ("rejection-counts", "rejection-rows"), "troubles": ("trouble-rows",)}.items():
        if not shown[section]["hidden"]:
            text += [shown[part]["text"] for part in parts]
    return "\n".join(text)


class WhyNot(trackd.TestCase):
    """Each cause is looked for in four places."""

    def lock(self, daemon):
        """Its sink fails until the end of the test."""
        self.addCleanup(daemon.lock_database().close)

    def look(self, daemon, status, command, log, page):
        """`status` is a predicate of /status, the others are patterns."""
        with self.subTest("/status"):
            trackd.wait_until(lambda: status(daemon.status()), "the cause in /status")
        with self.subTest("trackd status"):
            self.assertRegex(daemon.command("status").stdout, command)
        with self.subTest("log"):
            for pattern in log:
                daemon.log.wait_for(pattern)
        with self.subTest("page"):
            self.assertRegex(page_text(self, daemon), page)

    def look_for_rejection(self, daemon, status, reason, path, key="none"):
        def is_it(page):
            newest = page["rejections"]["latest"][0]
            return (newest["status"], newest["reason"], newest["path"], newest["key"] or "none") == (status, reason, path, key)
        named = "" if key == "none" else f' key="{key}"'
        self.look(daemon, is_it,
                  rf'rejected +(.*, )?\d+ of {status} {reason}(.|\n)* {status} {reason}{named}( method="POST")? path="{re.escape(path)}": "',
                  [rf'rejected a request, status={status} reason={reason}( method="POST")? path="{re.escape(path)}" key="{key}"'],
                  rf"\d+ of {status} {reason}(.|\n)*{status} {reason} {key} (POST)? *{re.escape(path)}")

    def test_a_wrong_key(self):
        daemon = self.start(keys())
        self.assertEqual(daemon.post({"n": 1}, Authorization=f"Bearer {WRONG}").status, 401)
        self.look_for_rejection(daemon, 401, "unauthorized", "/events")

    def test_an_invalid_event(self):
        daemon = self.start(keys())
        answer = daemon.post({"specversion": "1.0", "id": "", "source": SECRET, "type": "t"},
                             content_type="application/cloudevents+json", Authorization=f"Bearer {KEY}")
        self.assertEqual(answer.status, 422, answer)
        self.look_for_rejection(daemon, 422, "invalid_event", "/events", "web")

    def test_a_full_journal(self):
        daemon = self.start({"journal.segment_bytes": "64KiB", "journal.max_bytes": "128KiB", **keys()})
        self.lock(daemon)
        body = json.dumps({"data": "x" * 4_000})
        trackd.wait_until(lambda: daemon.post(body, Authorization=f"Bearer {KEY}").status == 503, "a full journal")
        daemon.post(body, Authorization=f"Bearer {KEY}")
        self.look_for_rejection(daemon, 503, "journal_full", "/events", "web")
        self.look(daemon, lambda page: page["journal"]["condition"] == "full", r"journal +full", [r"journal: full"],
                  r"journal full")

    def test_a_failing_sink(self):
        daemon = self.start()
        self.lock(daemon)
        self.assertEqual(daemon.post({"n": 1}).status, 201)
        self.look(daemon, lambda page: page["sinks"][0]["failing"], r'sqlite +sqlite +0 +1 .*failing for .*: ".*locked',
                  [r"sink sqlite: write failed, will retry: .*locked"], r"sqlite +failing for .*locked")

    def test_a_dead_letter(self):
        daemon = self.start({"tracker.retry.max": "200ms"})
        with contextlib.closing(sqlite3.connect(daemon.database, timeout=trackd.PATIENCE)) as connection:
            connection.execute(POISON)
            connection.commit()
        self.assertEqual(daemon.post([{"type": kind, "data": 1} for kind in ("order", "poison", "order")]).status, 201)
        self.look(daemon, lambda page: page["sinks"][0]["dead_letters_kept"] == 1 and not page["sinks"][0]["pending"],
                  r"sqlite +sqlite +2 +0 +\S+ +0 +1 ",
                  [r"sink sqlite: rejected 1 event\(s\).*poison is not allowed"],
                  r"sqlite +works 2 0 0 s 0 \d+ 1 .*poison is not allowed")

    def test_a_route_that_filters(self):
        daemon = self.start({"sinks": '[{name="orders",kind="null",types=["order"]}]'})
        self.assertEqual(daemon.post([{"type": "order", "data": 1}, {"type": "page", "source": "shop", "data": 1}]).status, 201)
        self.look(daemon, lambda page: page["sinks"][0]["filtered"] == 1 and not page["sinks"][0]["pending"],
                  r"FILTERED(.|\n)*orders +null +1 +0 +\S+ +1 ",
                  [r'sink orders: its route filters an event, type="page" source="shop"'], r"orders +works 1 0 0 s 1 ")

    def test_a_dropped_call_of_a_batch(self):
        daemon = self.start()
        calls = [{"type": "page", "userId": "u"}, {"type": "page", "properties": SECRET}]
        self.assertEqual(daemon.post({"batch": calls}, path="/v1/batch").json()["rejected"], 1)
        self.look(daemon, lambda page: page["rejected_calls"]["no_user"] == 1 and
                  page["rejections"]["latest"][0]["calls"] == 1 and page["rejections"]["total"] == 0,
                  r"200 no_user(.|\n)*calls +rejected: 1 no_user", [r"rejected 1 call\(s\) of a batch.*reason=no_user"],
                  r"200 no_user, 1 calls of a batch none POST /v1/batch(.|\n)*left out of a batch: no_user 1 times")


class Rejections(trackd.TestCase):
    def test_every_answer_that_says_an_error_is_counted(self):
        daemon = self.start()
        for _ in range(3):
            self.assertEqual(daemon.post("{").status, 400)
            self.assertEqual(daemon.post("{}", path="/nowhere").status, 404)
            self.assertEqual(daemon.post([{"type": "a\nb", "data": 1}]).status, 422)
        expected = {(400, "invalid_json"): 3, (404, "not_found"): 3, (422, "invalid_event"): 3}
        self.assertEqual(counts(daemon), expected)
        status = daemon.status()
        self.assertEqual((status["http"]["rejected"], status["rejections"]["total"]), (9, 9))
        self.assertEqual(len(status["rejections"]["latest"]), 5)
        said = daemon.command("status").stdout
        self.assertIn(", 9 rejected\n", said)
        self.assertIn("rejected       3 of 400 invalid_json, 3 of 404 not_found, 3 of 422 invalid_event\n", said)
        metrics = daemon.ask("/metrics").body.decode()
        for (code, reason), count in expected.items():
            self.assertIn(f'trackd_requests_rejected_total{{code="{code}",reason="{reason}"}} {count}\n', metrics)

    def test_so_are_those_of_http_itself(self):
        daemon = self.start({"http.max_head_bytes": 4096, "http.max_body_bytes": 10_000, "http.head_timeout": "300ms"})
        many = b"".join(b"X-%d: 1\r\n" % n for n in range(300))
        for sent, status in ((b"P(ST /events HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/3.0\r\n\r\n", 505),
                             (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414), (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
                             (b"GET / HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n", 431),
                             (b"POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n1", 417),
                             (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n", 413),
                             (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
                             (b"DELETE /events HTTP/1.1\r\nHost: x\r\n\r\n", 405), (b"POST /eve", 408)):
            with self.subTest(sent[:40]):
                before = rejections(daemon)["total"]
                connection = self.connect(daemon)
                connection.send(sent)
                self.assertEqual(connection.response().status, status)
                after = rejections(daemon)
                self.assertEqual((after["total"], after["latest"][0]["status"]), (before + 1, status))
        self.assertEqual(sum(counts(daemon).values()), daemon.status()["http"]["rejected"])

    def test_health_checks_and_the_admin_listener_are_not(self):
        daemon = self.start({"admin.token": "0123456789abcdef-right"})
        daemon.request("GET", "/readyz")
        self.assertEqual(daemon.ask("/status", Authorization="").status, 401)
        self.assertEqual(rejections(daemon)["total"], 0)
        self.assertEqual(daemon.ask("/debug/rejections", Authorization="").status, 401)

    def test_what_a_pixel_and_an_analytics_client_are_not_told_is_recorded(self):
        daemon = self.start(keys())
        self.assertEqual(daemon.request("GET", f"/pixel/v1/track?writeKey={WRONG}&event=e&userId=u").status, 200)
        self.assertEqual(counts(daemon), {(200, "unauthorized"): 1})
        call = {"batch": [{"type": "track", "userId": "u"}], "writeKey": KEY}
        self.assertEqual(daemon.post(call, path="/v1/batch").status, 400)
        newest = rejections(daemon)["latest"][0]
        self.assertEqual((newest["status"], newest["key"]), (400, "web"), "the key of a body is known, too")

    def test_nothing_secret_is_shown_or_logged(self):
        daemon = self.start(keys())
        authorization = {"Authorization": f"Bearer {KEY}"}
        daemon.request("POST", f"/v1/projects/{WRONG}/settings")
        daemon.request("POST", "/v1/projects/my-write-key/settings")
        daemon.request("GET", f"/{KEY}?key={KEY}&x={SECRET}")
        daemon.request("GET", f"/%74rk_{KEY[4:]}")
        daemon.post({"n": 1}, path=f"/events?key={WRONG}")
        daemon.post({"n": 1}, X_Api_Key=WRONG)
        daemon.post("{", content_type=KEY, **authorization)
        for body in ([{"type": SECRET + "\n", "data": 1}], {"batch": [{"type": SECRET}]}, f'{{"{SECRET}": tru}}'):
            for path in ("/events", "/v1/batch", "/v1/track"):
                daemon.post(body, path=path, **authorization)
        for time in (SECRET, "\x1b[31m"):
            daemon.post({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "time": time, SECRET: 1},
                        content_type="application/cloudevents+json", **authorization)
        page = rejections(daemon)
        self.assertGreaterEqual(page["total"], 12)
        self.assertIn("/trk_…", [one["path"] for one in page["latest"]])
        self.assertIn("/v1/projects/***/settings", [one["path"] for one in page["latest"]])
        shown = {"/debug/rejections": json.dumps(page, ensure_ascii=False), "/status": json.dumps(daemon.status()),
                 "trackd status": daemon.command("status").stdout, "log": daemon.log.tail(1000)}
        for place, text in shown.items():
            with self.subTest(place):
                for secret in (SECRET, KEY, KEY[4:], WRONG, WRONG[4:], "my-write-key", "\x1b"):
                    self.assertNotIn(secret, text)

    def test_a_flood_is_recorded_within_bounds(self):
        daemon = self.start()
        with daemon.connect() as connection:
            for first in range(0, 5000, 100):
                connection.send(b"".join(request_bytes("GET", f"/{n}" + "x" * 500) for n in range(first, first + 100)))
                for _ in range(100):
                    self.assertEqual(connection.response().status, 404)
        page = rejections(daemon)
        self.assertEqual((page["total"], len(page["latest"])), (5000, 50))
        self.assertLess(len(daemon.ask("/debug/rejections").body), 50_000)
        self.assertTrue(page["latest"][0]["path"].startswith("/4999x"))
        self.assertTrue(page["latest"][49]["path"].startswith("/4950x"))
        lines = [entry for entry in daemon.log.entries if "rejected a request" in entry["message"]]
        self.assertLessEqual(len(lines), 20, "one in ten seconds")
        self.assertGreaterEqual(len(lines), 1)
