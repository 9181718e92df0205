"""The http sink: what is sent, a server in trouble, and with another trackd and nginx as real servers."""
import concurrent.futures
import email.utils
import json
import shutil
import ssl
import subprocess
import time
import unittest

from support import nginx, tls, trackd
from support.http_target import HttpTarget, sink
from support.ports import free_port

QUICK_RETRY = {"tracker.retry.min": "10ms", "tracker.retry.max": "100ms"}
NO_PROXY = {"no_proxy": "*"}  # whatever somebody's environment says
MANY = 300


def setUpModule():
    if "http" not in trackd.run("--version").stdout:
        raise unittest.SkipTest("this build has no http sink")


class HttpCase(trackd.TestCase):
    def start_with(self, sinks, settings=None, **options):
        return self.start({"sinks": sinks, **QUICK_RETRY, **(settings or {})}, environment=NO_PROXY, **options)

    def numbers(self, count, first=0):
        return [f"e-{number}" for number in range(first, first + count)]


class WhatIsSent(HttpCase):
    POSTS = (
        ('{"id":"short","source":"/shop","type":"order","subject":"s","time":"2026-01-02T03:04:05.678901Z",'
         '"data":{"b":1.50,"a":[null]}}', "application/json"),
        ('{"specversion":"1.0","id":"none","source":"s","type":"t","traceparent":"00-1","sampledrate":3}',
         "application/cloudevents+json"),
        ('{"specversion":"1.0","id":"text","source":"s","type":"t","datacontenttype":"text/plain",'
         '"data":"two\\nlines \\u20ac"}', "application/cloudevents+json"),
        ('{"specversion":"1.0","id":"bytes","source":"s","type":"t","datacontenttype":"image/png",'
         '"data_base64":"AP8="}', "application/cloudevents+json"),
    )

    def check_events(self, events):
        rows = {event["id"]: event for event in events}
        self.assertEqual(len(events), len(self.POSTS))
        short = rows["short"]
        self.assertEqual((short["source"], short["type"], short["subject"]), ("/shop", "order", "s"))
        self.assertEqual((short["time"], short["data"]), ("2026-01-02T03:04:05.678901Z", {"b": 1.5, "a": [None]}))
        self.assertEqual((rows["none"]["traceparent"], rows["none"]["sampledrate"]), ("00-1", 3))
        self.assertNotIn("data", rows["none"])
        self.assertEqual((rows["text"]["data"], rows["text"]["datacontenttype"]), ("two\nlines €", "text/plain"))
        self.assertEqual(rows["bytes"]["data_base64"], "AP8=")
        for event in events:
            self.assertEqual(event["specversion"], "1.0")

    def test_each_format_with_each_compression(self):
        types = {"ndjson": "application/x-ndjson", "json": "application/json",
                 "cloudevents": "application/cloudevents-batch+json"}
        packings = ["none", "gzip"] + (["zstd"] if shutil.which("zstd") else [])
        for number, (form, content_type) in enumerate(types.items()):
            packing = packings[number % len(packings)]
            with self.subTest(form=form, packing=packing):
                target = HttpTarget.start(self)
                daemon = self.start_with(target.sink(format=form, compression=packing))
                for body, posted_as in self.POSTS:
                    self.assertEqual(daemon.post(body, content_type=posted_as).status, 201)
                self.assertEqual(daemon.stop().delivered, len(self.POSTS))
                self.check_events(target.events())
                for request in target.requests:
                    self.assertEqual(request.headers["Content-Type"], content_type)
                    self.assertEqual(request.headers["Content-Encoding"], None if packing == "none" else packing)
                    self.assertRegex(request.headers["User-Agent"], r"^trackd/\d")
                    self.assertEqual(request.path, "/events")

    def test_header_fields_come_from_the_environment_and_are_shown_nowhere(self):
        target = HttpTarget.start(self)
        place = self.empty_directory()
        file = ('[[sinks]]\nname = "http"\nkind = "http"\n'
                f'url = "{target.url}?insert=${{QUERY}}"\n'
                'headers = ["Authorization: Bearer ${TOKEN}", "content-type: text/x-mine"]\n')
        environment = {**NO_PROXY, "TOKEN": "hush-1", "QUERY": "hush-2"}
        daemon = self.start(file=file, environment=environment, directory=place, settings=QUICK_RETRY)
        target.answer(401)
        self.assertEqual(daemon.post({"id": "one", "data": 1}).status, 201)
        daemon.wait_until_delivered()
        request, = target.requests
        self.assertEqual(request.path, "/events?insert=hush-2")
        self.assertEqual(request.headers["Authorization"], "Bearer hush-1")
        self.assertEqual(request.headers.get_all("Content-Type"), ["text/x-mine"])
        daemon.stop()
        self.assertTrue(daemon.log.find("answered 401"))
        self.assertFalse(daemon.log.find("hush"))
        shown = trackd.run("config", *daemon.configuration(), environment=environment).stdout
        self.assertIn('url = "********"', shown)
        self.assertNotIn("hush", shown)

    def test_many_batches_go_over_one_connection_in_order(self):
        target = HttpTarget.start(self)
        daemon = self.start_with(target.sink(batch_events=10))
        self.post_numbers(daemon, 0, MANY)
        self.assertEqual(daemon.stop().delivered, MANY)
        self.assertEqual(target.ids(), self.numbers(MANY))
        self.assertGreaterEqual(len(target.requests), MANY // 10)
        self.assertEqual(target.connections, 1)


class AtTheStart(HttpCase):
    def refusal(self, **options):
        daemon = self.start({"sinks": sink(**options)}, wait=False)
        return daemon.refusal()

    def test_what_can_never_work_is_said(self):
        self.assertIn("sink http: url: there is none; expected one that begins with http://", self.refusal(url=""))
        said = self.refusal(url="https://user:hush@localhost/")
        self.assertIn("sink http: url: it has a user or a password in it", said)
        self.assertNotIn("hush", said)
        said = self.refusal(url="https://localhost/", headers=["hush"])
        self.assertIn("sink http: headers: found one that is not shown", said)
        self.assertNotIn("hush", said)
        self.assertIn('refused_statuses: found "404", which sinks.http.retried_statuses has, too, expected it in one',
                      self.refusal(url="http://localhost/", retried_statuses=["404"], refused_statuses=["404"]))
        self.assertIn("ca_file: cannot read /nowhere", self.refusal(url="https://localhost/", ca_file="/nowhere"))


class Answers(HttpCase):
    def test_what_is_over_later_is_tried_again(self):
        target = HttpTarget.start(self)
        for status in (500, 503, 408, 425):
            target.answer(status, b"not now\n\x1b")
        daemon = self.start_with(target.sink())
        self.post_numbers(daemon, 0, 3)
        daemon.wait_until_delivered()
        self.assertEqual(target.ids(), self.numbers(3))
        self.assertTrue(daemon.log.find(
            rf'http://localhost:{target.port}/events answered 500: "not now\\n\\u001b"$'))
        self.assertEqual(daemon.sink("http")["retries"], 4)

    def test_a_server_says_when_to_come_again(self):
        target = HttpTarget.start(self)
        target.answer(429, Retry_After="1")
        daemon = self.start_with(target.sink())
        began = time.monotonic()
        self.post_numbers(daemon, 0, 3)
        self.assertIn("answered 429; not before 1 s", self.error_of(daemon, "http", "answered 429"))
        daemon.wait_until_delivered()
        self.assertGreaterEqual(time.monotonic() - began, 1)
        self.assertEqual((daemon.sink("http")["retries"], target.ids()), (1, self.numbers(3)))

    def test_a_server_says_at_which_time_to_come_again(self):
        target = HttpTarget.start(self)
        target.answer(503, Retry_After=email.utils.formatdate(time.time() + 1800, usegmt=True))
        daemon = self.start_with(target.sink(), {"shutdown.drain_timeout": "60s"})
        self.post_numbers(daemon, 0, 3)
        self.assertRegex(self.error_of(daemon, "http", "answered 503"), r"answered 503; not before 1[5-8]\d\d s")
        self.assertEqual(daemon.stop().delivered, 3)  # a drain asks at once

    def test_a_server_that_never_wants_to_be_asked_again_is_asked_within_an_hour(self):
        target = HttpTarget.start(self)
        target.answer(503, Retry_After="31536000")
        daemon = self.start_with(target.sink(), {"shutdown.drain_timeout": "60s"})
        self.post_numbers(daemon, 0, 3)
        self.error_of(daemon, "http", "not before 3600 s")
        self.assertEqual(daemon.stop().delivered, 3)  # a drain asks at once

    def test_what_an_operator_mends_waits_for_him(self):
        target = HttpTarget.start(self)
        daemon = self.start_with(target.sink())
        for status, advice in ((401, "credentials"), (403, "credentials"), (404, "a url where"), (405, "a url where"),
                               (415, "a format and a compression"), (410, "answered 410")):
            target.answer_where(lambda _: status)
            self.post_numbers(daemon, status, 3)
            self.assertIn(advice, self.error_of(daemon, "http", f"answered {status}"))
            self.assertEqual(daemon.sink("http")["pending"], 3)
            target.answer_where(None)
            daemon.wait_until_delivered()
        self.assertEqual(daemon.sink("http")["dead_lettered"], 0)
        self.assertEqual(len(target.ids()), 18)

    def test_what_an_answer_means_is_as_configured(self):
        target = HttpTarget.start(self)
        rules = {"known": 409, "odd": 451, "slow": 202}
        target.answer_where(lambda events: next((rules[e["data"]] for e in events if e["data"] in rules), None))
        daemon = self.start_with(target.sink(batch_events=1, delivered_statuses=["2xx", "409"],
                                             refused_statuses=["4xx"], retried_statuses=["202", "429"]))
        for name in ("known", "odd", "fine"):
            self.assertEqual(daemon.post({"id": name, "data": name}).status, 201)
        daemon.wait_until_delivered()
        target.answer(429)
        self.assertEqual(daemon.post({"id": "slow", "data": "slow"}).status, 201)
        self.error_of(daemon, "http", "answered 202")
        status = daemon.sink("http")
        self.assertEqual((status["delivered"], status["dead_lettered"], status["pending"]), (2, 1, 1))
        target.answer_where(None)
        daemon.wait_until_delivered()
        letter, = (daemon.directory / "data" / "dead-letters" / "http.jsonl").read_text().splitlines()
        self.assertEqual(json.loads(letter)["event"]["id"], "odd")
        self.assertGreaterEqual(json.loads(letter)["attempts"], 1)

    def test_a_server_that_knows_no_expect_gets_the_same_body_without_it(self):
        for headers in ([], ["expect: 100-continue"]):
            with self.subTest(headers=headers):
                target = HttpTarget.start(self)
                target.knows_expect = False
                daemon = self.start_with(target.sink(headers=headers))
                for round_number in range(2):
                    body = json.dumps([{"id": f"e-{round_number * 150 + n}", "data": "x" * 10_000} for n in range(150)])
                    self.assertEqual(daemon.post(body).status, 201)
                    daemon.wait_until_delivered()
                self.assertEqual(sorted(target.ids()), sorted(self.numbers(300)))
                self.assertEqual((target.expectations, daemon.sink("http")["retries"]), (1, 0))
                self.assertTrue(all("Expect" not in request.headers for request in target.requests))

    def test_a_redirect_is_shown_and_not_followed(self):
        target, other = HttpTarget.start(self), HttpTarget.start(self)
        target.answer(307, Location=other.url)
        daemon = self.start_with(target.sink())
        self.post_numbers(daemon, 0, 3)
        daemon.wait_until_delivered()
        self.assertTrue(daemon.log.find(f"answered 307, a redirect to {other.url}, which is not followed"))
        self.assertEqual((target.ids(), other.requests), (self.numbers(3), []))

    def test_an_event_that_is_refused_is_a_dead_letter_and_the_others_arrive(self):
        target = HttpTarget.start(self)
        target.answer_where(lambda events: 422 if any(event["data"] == "poison" for event in events) else None)
        daemon = self.start_with(target.sink())
        body = "\n".join(f'{{"id":"e-{n}","data":{json.dumps("poison" if n == 77 else n)}}}' for n in range(MANY))
        self.assertEqual(daemon.post(body, content_type="application/x-ndjson").status, 201)
        daemon.wait_until_delivered()
        sink_status = daemon.sink("http")
        self.assertEqual((sink_status["delivered"], sink_status["dead_lettered"]), (MANY - 1, 1))
        self.assert_books_balance(daemon.status())
        self.assertEqual(target.ids(), [name for name in self.numbers(MANY) if name != "e-77"])
        letters = (daemon.directory / "data" / "dead-letters" / "http.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(letter)["event"]["id"] for letter in letters], ["e-77"])
        self.assertIn("answered 422", json.loads(letters[0])["reason"])

    def test_a_batch_that_is_too_large_is_halved(self):
        target = HttpTarget.start(self)
        target.answer_where(lambda events: 413 if len(events) > 40 else None)
        daemon = self.start_with(target.sink())
        self.post_numbers(daemon, 0, MANY)
        daemon.wait_until_delivered()
        self.assertEqual(daemon.sink("http")["dead_lettered"], 0)
        self.assertEqual(target.ids(), self.numbers(MANY))

    def test_a_long_answer_is_shown_by_its_beginning(self):
        target = HttpTarget.start(self)
        target.answer(500, b"x" * 5_000_000)
        daemon = self.start_with(target.sink())
        self.post_numbers(daemon, 0, 1)
        daemon.wait_until_delivered()
        self.assertTrue(daemon.log.find('answered 500: "x{200}"…$'))
        self.assertEqual(target.connections, 1)


class DeadLetters(HttpCase):
    def start_with_letters(self, target, ids):
        target.answer_where(lambda events: 422 if any(event["id"] in ids for event in events) else None)
        daemon = self.start_with(target.sink(timeout="1h"))
        self.assertEqual(daemon.post([{"id": name, "data": 1} for name in [*ids, "good"]]).status, 201)
        daemon.wait_until_delivered()
        target.answer_where(None)
        return daemon

    def test_they_are_dropped_while_a_write_hangs(self):
        target = HttpTarget.start(self)
        daemon = self.start_with_letters(target, ["a", "b"])
        target.hold()
        self.post_numbers(daemon, 0, 1)
        self.assertTrue(target.held.wait(trackd.PATIENCE))
        dropped = daemon.letters("drop", "http", "a")
        self.assertEqual((dropped.returncode, dropped.stdout), (0, "1 dropped\n"), dropped.stderr)
        self.assertEqual((daemon.sink("http")["pending"], daemon.sink("http")["dead_letters_kept"]), (1, 1))
        target.release()
        retried = daemon.letters("retry", "http", "--all")
        self.assertEqual((retried.returncode, retried.stdout), (0, "1 delivered\n"), retried.stderr)
        daemon.wait_until_delivered()
        self.assertEqual(sorted(target.ids()), ["b", "e-0", "good"])

    def test_none_are_dropped_while_they_are_delivered(self):
        target = HttpTarget.start(self)
        daemon = self.start_with_letters(target, ["a", "b"])
        target.hold()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            retried = pool.submit(daemon.letters, "retry", "http", "--all")
            self.assertTrue(target.held.wait(trackd.PATIENCE))
            for command in ("drop", "retry"):
                refused = daemon.letters(command, "http", "--all")
                self.assertEqual(refused.returncode, 1, refused)
                self.assertIn("being delivered or dropped already; try again afterwards", refused.stderr)
            target.release()
            self.assertEqual(retried.result().stdout, "2 delivered\n")
        self.assertEqual(daemon.letters("drop", "http", "--all").stdout, "0 dropped\n")
        self.assertEqual(target.ids(), ["good", "a", "b"])


class InTrouble(HttpCase):
    def test_a_server_that_is_down_at_the_start(self):
        port = free_port()
        daemon = self.start_with(sink(f"http://localhost:{port}/events"))
        self.post_numbers(daemon, 0, 3)
        self.error_of(daemon, "http", f"http://localhost:{port}/events: Failed to connect to localhost port {port}")
        target = HttpTarget.start(self, port=port)
        daemon.wait_until_delivered()
        self.assertEqual(target.ids(), self.numbers(3))

    def test_a_connection_that_is_cut_before_the_answer(self):
        target = HttpTarget.start(self)
        target.cut()
        daemon = self.start_with(target.sink())
        self.post_numbers(daemon, 0, 3)
        daemon.wait_until_delivered()
        self.assertEqual(target.ids(), self.numbers(3))
        self.assertEqual(len(target.refused), 1)
        self.assertTrue(daemon.log.find(r"/events: .*(Empty reply|reset)"))

    def test_a_server_that_does_not_answer_is_given_up(self):
        target = HttpTarget.start(self)
        target.hold()
        daemon = self.start_with(target.sink(timeout="2s"))
        self.post_numbers(daemon, 0, 3)
        self.error_of(daemon, "http", "timed out after 2")
        daemon.wait_until_delivered()
        self.assertEqual(target.ids()[:3], self.numbers(3))

    def test_a_daemon_that_is_told_to_end_does_not_wait_for_an_answer(self):
        target = HttpTarget.start(self)
        target.hold()
        daemon = self.start_with(target.sink(timeout="1h"), {"shutdown.drain_timeout": "500ms"})
        self.post_numbers(daemon, 0, 3)
        self.assertTrue(target.held.wait(trackd.PATIENCE))
        summary = daemon.stop()
        self.assertEqual((summary.delivered, summary.pending), (0, 3))
        after = self.restart(daemon, environment=NO_PROXY)
        after.wait_until_delivered()
        self.assertEqual(target.ids()[:3], self.numbers(3))


class Tls(HttpCase):
    def start_target(self, host="localhost"):
        self.certificate, key = tls.certificate(self.empty_directory())
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        return HttpTarget.start(self, tls=self.context, host=host)

    def test_a_certificate_of_ca_file_is_taken(self):
        target = self.start_target()
        daemon = self.start_with(target.sink(ca_file=str(self.certificate)))
        self.post_numbers(daemon, 0, 3)
        self.assertEqual(daemon.stop().delivered, 3)
        self.assertEqual(target.ids(), self.numbers(3))

    def test_a_certificate_that_nobody_knows_is_not(self):
        target = self.start_target()
        daemon = self.start_with(target.sink())
        self.post_numbers(daemon, 0, 3)
        self.error_of(daemon, "http", "expected a certificate for this host by an authority of the system, or of ca_file")
        self.assertEqual(target.requests + target.refused, [])

    def test_a_certificate_of_another_host_is_not(self):
        target = self.start_target("127.0.0.2")  # and its certificate is that of 127.0.0.1
        daemon = self.start_with(target.sink(ca_file=str(self.certificate)))
        self.post_numbers(daemon, 0, 3)
        self.error_of(daemon, "http", "expected a certificate for this host by an authority")
        self.assertEqual(target.requests + target.refused, [])

    def test_without_verify_any_is_taken_and_the_log_says_so(self):
        target = self.start_target()
        daemon = self.start_with(target.sink(verify=False))
        self.post_numbers(daemon, 0, 3)
        self.assertEqual(daemon.stop().delivered, 3)
        self.assertTrue(daemon.log.find("/events: verify = false: whoever is in between can read"))
        self.assertEqual(target.ids(), self.numbers(3))

    def test_a_client_certificate(self):
        target = self.start_target()
        own, key = tls.certificate(self.empty_directory(), "client")
        self.context.load_verify_locations(own)
        self.context.verify_mode = ssl.CERT_REQUIRED
        daemon = self.start_with(target.sink(ca_file=str(self.certificate)))
        self.post_numbers(daemon, 0, 3)
        self.error_of(daemon, "http", "certificate required")
        daemon.stop()
        after = self.restart(daemon, {"sinks": target.sink(ca_file=str(self.certificate), client_certificate=str(own),
                                                           client_key=str(key))}, environment=NO_PROXY)
        after.wait_until_delivered()
        self.assertEqual(target.ids(), self.numbers(3))


class AnotherTrackd(HttpCase):
    def test_each_event_is_there_once_with_all_that_it_has(self):
        target = self.start({"tracker.ack": "delivered"})
        url = "http://{}:{}/events".format(*target.ingest)
        daemon = self.start_with(sink(url, format="cloudevents", compression="gzip", batch_events=50))
        for body, content_type in WhatIsSent.POSTS:
            self.assertEqual(daemon.post(body, content_type=content_type).status, 201)
        self.post_numbers(daemon, 0, MANY)
        self.post_numbers(daemon, 0, MANY)  # which it does not know, but its target does
        self.assertEqual(daemon.stop().delivered, 2 * MANY + 4)
        rows = {row["id"]: row for row in target.rows(MANY + 4)}
        self.assertEqual(target.sink("sqlite")["duplicates"], MANY)
        self.assertEqual(set(rows), {"short", "none", "text", "bytes", *self.numbers(MANY)})
        self.assertEqual((rows["short"]["time"], rows["short"]["data"]),
                         ("2026-01-02T03:04:05.678901Z", '{"b":1.50,"a":[null]}'))
        self.assertEqual((rows["bytes"]["data"], rows["bytes"]["datacontenttype"]), (b"\x00\xff", "image/png"))
        extensions = json.loads(rows["none"]["extensions"])
        self.assertEqual((extensions["traceparent"], extensions["sampledrate"]), ("00-1", 3))
        self.assertIn("receivedat", extensions)

    def test_what_is_too_large_for_it_at_once_arrives_in_parts(self):
        target = self.start({"http.max_body_bytes": "8KiB", "http.max_event_bytes": "4KiB"})
        url = "http://{}:{}/events".format(*target.ingest)
        daemon = self.start_with(sink(url, format="cloudevents"))
        self.post_numbers(daemon, 0, MANY)
        self.assertEqual(daemon.post({"id": "large", "data": "x" * 10_000}).status, 201)
        daemon.wait_until_delivered()
        sink_status = daemon.sink("http")
        self.assertEqual((sink_status["delivered"], sink_status["dead_lettered"]), (MANY, 1))
        self.assertEqual({row["id"] for row in target.rows(MANY)}, set(self.numbers(MANY)))


NGINX = nginx.configuration("""\
    access_log access.log;
    client_max_body_size 20k;
    server {
        listen 127.0.0.1:PORT ssl;
        ssl_certificate CERTIFICATE;
        ssl_certificate_key KEY;
        location / {
            proxy_pass http://BACK;
        }
        location /old {
            return 308 /events;
        }
    }
""")


class Nginx(HttpCase):
    """TLS, a limit on bodies, redirects and a server that is reloaded, as a real one does them."""

    def setUp(self):
        self.program = nginx.program()
        self.place, self.port = self.empty_directory(), free_port()
        self.certificate, key = tls.certificate(self.place)
        self.target = self.start()
        (self.place / "configuration").write_text(
            NGINX.replace("PORT", str(self.port)).replace("CERTIFICATE", str(self.certificate))
            .replace("KEY", str(key)).replace("BACK", "{}:{}".format(*self.target.ingest)))
        self.process = None
        self.run_nginx()
        self.addCleanup(self.end_nginx)

    def run_nginx(self):
        with open(self.place / "log", "ab") as log:
            self.process = subprocess.Popen([self.program, "-p", ".", "-c", "configuration"], cwd=self.place,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end_nginx(self):
        self.process.kill()
        self.process.wait()

    def start_before(self, path="/events", **options):
        url = f"https://localhost:{self.port}{path}"
        return self.start_with(sink(url, ca_file=str(self.certificate), format="cloudevents", **options))

    def test_events_arrive_through_it_whatever_happens_to_it(self):
        daemon = self.start_before()
        self.post_numbers(daemon, 0, MANY)  # more than its limit takes at once
        daemon.wait_until_delivered()
        self.end_nginx()
        self.post_numbers(daemon, MANY, MANY)
        self.error_of(daemon, "http", "Failed to connect")
        self.run_nginx()
        daemon.wait_until_delivered()
        self.assertEqual({row["id"] for row in self.target.rows(2 * MANY)}, set(self.numbers(2 * MANY)))
        self.assertEqual(daemon.sink("http")["dead_lettered"], 0)
        self.assertIn(" 413 ", (self.place / "access.log").read_text())

    def test_its_redirect_is_not_followed(self):
        daemon = self.start_before("/old")
        self.post_numbers(daemon, 0, 3)
        error = self.error_of(daemon, "http", "answered 308")
        self.assertIn(f"a redirect to https://localhost:{self.port}/events, which is not followed", error)

    def test_what_is_down_behind_it_is_waited_for(self):
        daemon = self.start_before()
        self.target.crash()
        self.post_numbers(daemon, 0, 3)
        self.error_of(daemon, "http", "answered 502")
        port = self.target.ingest[1]
        after = self.restart(self.target, {"http.listen": f"127.0.0.1:{port}"})
        daemon.wait_until_delivered()
        self.assertEqual({row["id"] for row in after.rows(3)}, set(self.numbers(3)))
