"""200 clients that take their time, in each way there is, beside one that does not: it is not kept waiting."""
import statistics
import time
import unittest

from support import trackd
from support.raw_http import request_bytes

EACH = 67  # of three kinds
FAST = 300  # requests
# They may take as long as a noisy machine does; that they are cut off in time is shown elsewhere.
PATIENT = {"http.head_timeout": "10m", "http.body_timeout": "10m", "http.min_body_rate": 0, "http.write_timeout": "10m"}
BODY = b'{"type":"slow","data":"' + b"x" * 2000 + b'"}'


class SlowClients(trackd.TestCase):
    def slow_heads(self, daemon):
        """Have sent half of a head, and go on byte by byte."""
        rest = b"Content-Type: application/json\r\n" * 100
        return [self.begun(daemon, b"POST /events HTTP/1.1\r\nHost: slow\r\n", rest) for _ in range(EACH)]

    def slow_bodies(self, daemon):
        whole = request_bytes("POST", "/events", BODY)
        cut = len(whole) - len(BODY) + 10
        return [self.begun(daemon, whole[:cut], whole[cut:]) for _ in range(EACH)]

    def slow_readers(self, daemon):
        """Send request upon request, and read no answer."""
        many = request_bytes("GET", "/nowhere") * 2000
        return [self.begun(daemon, b"", many) for _ in range(EACH)]

    def begun(self, daemon, sent, rest):
        connection = daemon.connect()
        self.addCleanup(connection.close)
        connection.socket.setblocking(False)
        connection.socket.send(sent)
        return connection, rest

    def latencies(self, daemon, between=lambda number: None):
        """Of one client's requests, in microseconds."""
        taken = []
        with daemon.connect() as connection:
            for number in range(FAST):
                between(number)
                began = time.perf_counter()
                answer = connection.request("POST", "/events", b'{"type":"fast"}', Content_Type="application/json")
                taken.append((time.perf_counter() - began) * 1e6)
                self.assertEqual(answer.status, 201)
        return taken

    def test_a_fast_client_beside_slow_ones(self):
        daemon = self.start({"http.threads": 1, **PATIENT})
        alone = self.latencies(daemon)
        slow = self.slow_heads(daemon) + self.slow_bodies(daemon) + self.slow_readers(daemon)
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] >= len(slow), "all are connected")

        def trickle(number):
            connection, rest = slow[number % len(slow)]
            at, count = (0, len(rest)) if rest.startswith(b"GET") else (number // len(slow), 1)
            try:
                connection.socket.send(rest[at:at + count])
            except BlockingIOError:  # a reader that has filled everything up
                pass

        beside = self.latencies(daemon, trickle)
        self.assertGreaterEqual(daemon.status()["connections"]["ingest"], len(slow), "they are all still there")
        for what, taken in (("alone", alone), (f"beside {len(slow)} slow ones", beside)):
            print(f"{what}: p50 {statistics.median(taken):.0f} µs, p99 {statistics.quantiles(taken, n=100)[98]:.0f} µs")
        for connection, _ in slow:
            connection.close()
        summary = daemon.stop()
        self.assertEqual((summary.accepted, summary.lost), (2 * FAST, 0), "nothing of what is not whole is stored")


if __name__ == "__main__":
    unittest.main()
