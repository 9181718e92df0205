"""HTTP as a strict client sees it: methods, limits, keep-alive, pipelining, several listeners, errors as RFC 9457."""
import socket
import unittest

from support import trackd
from support.raw_http import Connection, request_bytes


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


class HttpEdges(trackd.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = trackd.Daemon({"http.max_body_bytes": "64KiB", "http.max_head_bytes": "16KiB"})
        cls.addClassCleanup(cls.daemon.kill)

    def test_the_limits_on_events_are_configuration(self):
        daemon = self.start({"http.max_batch_events": 2, "http.max_event_bytes": 300})
        self.assertEqual(daemon.post([{"n": 1}, {"n": 2}]).status, 201)
        self.assert_problem(daemon.post([{"n": 1}, {"n": 2}, {"n": 3}]), 413, "more than 2 events")
        self.assertEqual(daemon.post({"text": "x" * 200}).status, 201)
        self.assert_problem(daemon.post({"text": "x" * 300}), 413, "at most 300")
        self.assertEqual(daemon.stop().accepted, 3)

    def assert_allows(self, answer, *methods):
        allowed = {method.strip() for method in (answer.header("allow") or "").split(",")}
        self.assertLessEqual(set(methods), allowed, answer)

    def test_an_unknown_path_is_404(self):
        self.assert_problem(self.daemon.request("GET", "/nowhere"), 404)
        self.assert_problem(self.daemon.post({"n": 1}, path="/nowhere"), 404)
        self.assert_problem(self.daemon.post({"n": 1}, path="/events/a/b"), 404)

    def test_a_known_path_with_another_method_is_405_and_says_what_is_allowed(self):
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            answer = self.daemon.request(method, "/events")
            self.assert_problem(answer, 405)
            self.assert_allows(answer, "POST", "OPTIONS")
        answer = self.daemon.post("x", path="/healthz")
        self.assert_problem(answer, 405)
        self.assert_allows(answer, "GET", "HEAD", "OPTIONS")

    def test_an_unknown_method_is_501(self):
        self.assert_problem(self.daemon.request("BREW", "/events"), 501)
        self.assert_problem(self.daemon.request("post", "/events"), 501)

    def test_options_says_what_is_allowed(self):
        answer = self.daemon.request("OPTIONS", "/events")
        self.assertIn(answer.status, (200, 204))
        self.assert_allows(answer, "POST", "OPTIONS")

    def test_head_is_get_without_the_body(self):
        with self.daemon.connect() as connection:
            get = connection.request("GET", "/healthz")
            head = connection.request("HEAD", "/healthz")
            self.assertEqual((head.status, head.body), (200, b""))
            self.assertEqual(head.header("content-length"), str(len(get.body)))
            self.assertEqual(connection.request("GET", "/healthz").body, get.body, "no byte too many after HEAD")

    def test_answers_have_a_date_and_a_length(self):
        answer = self.daemon.request("GET", "/healthz")
        self.assertRegex(answer.header("date"), r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertEqual(answer.header("content-length"), str(len(answer.body)))

    def test_100_continue_comes_before_the_body_is_sent(self):
        body = b'{"data":"patient"}'
        with self.daemon.connect() as connection:
            head = request_bytes("POST", "/events", body, Expect="100-continue")[:-len(body)]
            connection.send(head)
            self.assertTrue(connection._until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 "))
            connection.send(body)
            self.assertEqual(connection.response().status, 201)

    def test_a_body_too_large_is_refused_instead_of_100(self):
        with self.daemon.connect() as connection:
            connection.send(request_bytes("POST", "/events", Expect="100-continue", Content_Length="65537"))
            answer = connection.response()
            self.assertEqual(answer.interim, [])
            self.assert_problem(answer, 413, "65536")
            self.assertTrue(answer.closes and connection.ended())

    def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(self):
        self.assertEqual(self.daemon.post("x" * 65536, content_type="text/plain").status, 201)
        for chunked in (False, True):
            body = b"x" * 65537
            if chunked:
                data = b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n" + body
            else:
                data = request_bytes("POST", "/events", body)
            with self.daemon.connect() as connection:
                connection.send_and_hear(data)
                self.assert_problem(connection.response(), 413, "65536")
                self.assertTrue(connection.ended())

    def test_a_head_too_large_is_431(self):
        with self.daemon.connect() as connection:
            connection.send_and_hear(request_bytes("GET", "/healthz", X_Long="x" * 20_000))
            self.assert_problem(connection.response(), 431)

    def test_a_connection_is_kept_for_many_requests(self):
        with self.daemon.connect() as connection:
            for _ in range(1000):
                answer = connection.request("GET", "/healthz")
                self.assertEqual((answer.status, answer.closes), (200, False))

    def test_errors_of_the_content_keep_the_connection(self):
        with self.daemon.connect() as connection:
            for body, status in ((b"{", 400), (b"[1]", 422), (b"", 400), (b'{"n":1}', 201)):
                answer = connection.request("POST", "/events", body, Content_Type="application/json")
                self.assertEqual((answer.status, answer.closes), (status, False), answer)

    def test_connection_close_is_honoured(self):
        with self.daemon.connect() as connection:
            answer = connection.request("POST", "/events", b'{"n":1}', Connection="close")
            self.assertEqual((answer.status, answer.closes), (201, True))
            self.assertTrue(connection.ended())

    def test_pipelined_requests_are_answered_in_order(self):
        paths = ["/healthz", "/nowhere", "/healthz", "/events"] * 25
        with self.daemon.connect() as connection:
            connection.send(b"".join(request_bytes("GET", path) for path in paths))
            wanted = {"/healthz": 200, "/nowhere": 404, "/events": 405}
            self.assertEqual([connection.response().status for _ in paths], [wanted[path] for path in paths])

    def test_a_pipeline_that_nobody_reads_is_answered_in_full_later(self):
        requests = 5000
        with self.daemon.connect() as connection:
            connection.send_and_hear(request_bytes("GET", "/healthz") * requests)
            for _ in range(requests):
                self.assertEqual(connection.response().status, 200)

    def test_http_1_0_is_answered_and_closed(self):
        with self.daemon.connect() as connection:
            connection.send(b"POST /events HTTP/1.0\r\nContent-Length: 7\r\n\r\n{\"n\":1}")
            self.assertEqual(connection.response().status, 201)
            self.assertTrue(connection.ended())

    def test_the_figures_count_requests_and_refusals(self):
        before = self.daemon.status()["http"]
        self.daemon.request("GET", "/healthz")
        with self.daemon.connect() as connection:
            connection.send(b"GARBAGE\r\n\r\n")
            self.assert_problem(connection.response(), 400)
        after = self.daemon.status()["http"]
        self.assertGreater(after["requests"], before["requests"])
        self.assertGreater(after["rejected"], before["rejected"])

    def test_the_admin_listener_takes_no_events(self):
        with Connection(self.daemon.admin) as connection:
            self.assert_problem(connection.request("POST", "/events", b'{"n":1}'), 404)
        self.assert_problem(self.daemon.request("GET", "/status"), 404)


class Timeouts(trackd.TestCase):
    def test_each_phase_has_its_own(self):
        daemon = self.start({"http.head_timeout": "300ms", "http.body_timeout": "300ms", "http.idle_timeout": "300ms"})
        unfinished = (b"POST /ev", b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{}")
        for data in unfinished:
            with daemon.connect() as connection:
                connection.send(data)
                self.assert_problem(connection.response(), 408)
                self.assertTrue(connection.ended())
        with daemon.connect() as silent:
            self.assertTrue(silent.ended(), "an idle connection is closed without a word")
        with daemon.connect() as used:
            self.assertEqual(used.request("GET", "/healthz").status, 200)
            self.assertTrue(used.ended(), "an idle connection is closed without a word")
        self.assertEqual(daemon.stop().accepted, 0)


    def test_a_client_that_never_reads_is_cut_off(self):
        daemon = self.start({"http.write_timeout": "300ms"})
        memory = daemon.resident_bytes()
        connection = self.connect(daemon)
        connection.socket.setblocking(False)
        requests, sent = request_bytes("GET", "/nowhere") * 1000, 0

        def is_cut_off():
            nonlocal sent
            try:
                sent += connection.socket.send(requests)
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                return True
            return False

        trackd.wait_until(is_cut_off, "the daemon gives up")
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 0, "the connection is gone")
        self.assertLess(sent, 64 * 1024 * 1024, "bytes that were taken from a client that reads nothing")
        if not trackd.SANITIZER:
            self.assertLess(daemon.resident_bytes() - memory, 16 * 1024 * 1024)


class Listeners(trackd.TestCase):
    def test_an_array_of_listeners_all_listen(self):
        daemon = self.start({"http.listen": '["127.0.0.1:0","127.0.0.1:0"]'})
        self.assertEqual(len(set(daemon.ingest_addresses)), 2)
        for address in daemon.ingest_addresses:
            with Connection(address) as connection:
                self.assertEqual(connection.request("POST", "/events", b'{"n":1}').status, 201)
        self.assertEqual(daemon.stop().delivered, 2)

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_ipv6(self):
        daemon = self.start({"http.listen": '["127.0.0.1:0","[::1]:0"]', "admin.listen": "[::1]:0"})
        self.assertEqual([host for host, _ in daemon.ingest_addresses], ["127.0.0.1", "::1"])
        with Connection(daemon.ingest_addresses[1]) as connection:
            self.assertEqual(connection.request("POST", "/events", b'{"n":1}').status, 201)
        self.assertEqual(daemon.stop().delivered, 1)

    def test_an_address_over_its_bound_is_turned_away_and_others_are_served(self):
        daemon = self.start({"http.max_connections_per_address": 3})
        held = [self.connect(daemon) for _ in range(3)]
        for connection in held:
            self.assertEqual(connection.request("GET", "/healthz").status, 200)
        for _ in range(5):
            self.assertTrue(self.connect(daemon).ended(), "closed at once")
        self.assertEqual(daemon.status()["http"]["turned_away"], 5)
        daemon.log.wait_for("127.0.0.1 has as many connections as one address may have")
        with Connection(daemon.ingest, source=("127.0.0.2", 0)) as other:
            self.assertEqual(other.request("POST", "/events", b'{"n":1}').status, 201)
        held[0].close()
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 2, "one is gone")
        self.assertEqual(daemon.post({"n": 1}).status, 201)
        self.assertEqual(daemon.stop().delivered, 2)

    def test_connections_over_the_bound_wait_or_are_told(self):
        daemon = self.start({"http.max_connections": 4})
        held = [self.connect(daemon) for _ in range(4)]
        for connection in held:
            self.assertEqual(connection.request("GET", "/healthz").status, 200)
        fifth = self.connect(daemon)
        fifth.send(request_bytes("GET", "/healthz"))
        held[0].close()
        answer = fifth.response()
        self.assertIn(answer and answer.status, (None, 200, 503), answer)
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] <= 4, "the bound holds")
        self.assertEqual(daemon.ask("/healthz").status, 200)
        for connection in held[1:] + [fifth]:
            connection.close()
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 0, "all are gone")
        self.assertEqual(daemon.post({"n": 1}).status, 201)
