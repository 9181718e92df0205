"""The load generator of the benchmarks: what it counts is what a server that we know has done."""
import os
import socket
import threading
import unittest

from bench.measuring import Load
from support.raw_http import request_bytes

REQUEST = request_bytes("POST", "/events", '{"n":1}', Content_Type="application/json")


class Server:
    """Has `serve` serve its connections, one after the other."""

    def __init__(self, test, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.serve = serve
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        test.addCleanup(thread.join)
        test.addCleanup(self.listener.close)
        test.addCleanup(self.listener.shutdown, socket.SHUT_RDWR)

    def _run(self):
        try:
            while True:
                with self.listener.accept()[0] as connection:
                    self.serve(connection)
        except OSError:  # the test is over
            pass


def receive_requests(connection, count):
    """All bytes of so many requests; fails the connection where others come."""
    expected, received = REQUEST * count, b""
    while len(received) < len(expected):
        if not (chunk := connection.recv(len(expected) - len(received))):
            raise ConnectionError("closed")
        received += chunk
    if received != expected:
        raise ConnectionError("other bytes")


def answer(status, body=b"{}"):
    return b"HTTP/1.1 %d Some\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


class HttpLoad(unittest.TestCase):
    def load(self, serve, request=REQUEST, **options):
        server = Server(self, serve)
        with Load(os.environ["HTTP_LOAD"], server.address, request, **options) as load:
            return load.result

    def test_each_answer_is_counted_under_its_status(self):
        def serve(connection):
            for number in range(100):
                receive_requests(connection, 1)
                connection.sendall(answer(503 if number % 10 == 0 else 201))
        found = self.load(serve, connections=1, requests=100, seconds=60)
        self.assertEqual(found["statuses"], {"201": 90, "503": 10})
        self.assertEqual((found["answers"], found["broken"], found["unanswered"]), (100, 0, 0))

    def test_a_depth_is_so_many_requests_before_the_first_answer(self):
        def serve(connection):
            for _ in range(10):
                receive_requests(connection, 16)
                connection.sendall(answer(201) * 16)
            receive_requests(connection, 5)
            connection.sendall(answer(201) * 5)
        found = self.load(serve, connections=1, depth=16, requests=165, seconds=60)
        self.assertEqual(found["statuses"], {"201": 165})

    def test_requests_larger_than_the_sockets_buffers_arrive_whole(self):
        large = request_bytes("POST", "/events", "x" * 20_000_000)

        def serve(connection):
            left = len(large)
            while left:
                left -= len(connection.recv(left))
            connection.sendall(answer(201))
        found = self.load(serve, request=large, connections=1, requests=1, seconds=60)
        self.assertEqual(found["statuses"], {"201": 1})

    def test_at_a_fixed_rate_a_pause_is_charged_to_all_who_would_have_come(self):
        paused = threading.Event()

        def serve(connection):
            receive_requests(connection, 1)
            paused.wait(0.5)  # nobody sets it: half a second in which 500 requests come due
            connection.sendall(answer(201))
            for _ in range(499):
                receive_requests(connection, 1)
                connection.sendall(answer(201))
        found = self.load(serve, connections=1, rate=1000, requests=500, seconds=60)
        self.assertEqual(found["answers"], 500)
        # Half of them were due at least a quarter of a second before the pause ended; counted from when they were
        # sent, all but one would have waited for no time at all.
        self.assertGreater(found["latency_us"]["p50"], 240_000)
        self.assertGreater(found["latency_us"]["max"], 490_000)

    def test_connections_that_end_and_answers_that_make_no_sense_are_told(self):
        def serve(connection):
            receive_requests(connection, 1)
            connection.sendall(answer(201))
            receive_requests(connection, 1)
            connection.sendall(b"what?\r\n\r\n")
        found = self.load(serve, connections=1, requests=10, seconds=60)
        self.assertEqual((found["answers"], found["broken"], found["unanswered"]), (1, 1, 1))
