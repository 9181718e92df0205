"""Many large bodies at once: what is held of them is bounded, small requests pass, and so does a large one later."""
import unittest

from support import trackd
from support.raw_http import request_bytes

MIB = 1 << 20
CLIENTS = 60
ROOM = 16 * MIB
SETTINGS = {"http.max_body_bytes": "4MiB", "http.max_decoded_bytes": "4MiB", "http.max_bodies_bytes": ROOM,
            "http.body_timeout": "10m", "http.min_body_rate": 0, **trackd.MEMORY}
# Beside the room for bodies: the buffers of each connection, and what a thread needs to work.
MOST = ROOM + CLIENTS * 40 * 1024 + 8 * MIB
HALF = b"x" * (2 * MIB)


class Bodies(trackd.TestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start(SETTINGS)
        self.before = self.daemon.resident_bytes()

    def assert_bounded(self):
        grown = self.daemon.resident_bytes() - self.before
        print(f"resident memory: {grown / MIB:.1f} MiB more", flush=True)
        if not trackd.SANITIZER:  # a sanitizer keeps freed memory, on purpose
            self.assertLess(grown, MOST)

    def assert_room_again(self, held):
        """One that is as large as may be, once these have gone."""
        for connection in held:
            connection.close()
        trackd.wait_until(lambda: self.daemon.status()["connections"]["ingest"] == 0, "they are gone")
        # JSON, of which one event would be too large: as many events as it takes.
        lines = b'{"data":"' + b"x" * 1000 + b'"}\n'
        body = lines * (4 * MIB // len(lines))
        self.assertEqual(self.daemon.post(body, content_type="application/x-ndjson").status, 201)

    def assert_small_ones_pass(self):
        self.assertEqual(self.daemon.post({"small": "one"}).status, 201)

    def test_who_announces_a_large_body_is_told_before_it_is_sent(self):
        head = request_bytes("POST", "/events", Content_Length=4 * MIB, Expect="100-continue")
        held, refused = [], 0
        for _ in range(CLIENTS):
            connection = self.connect(self.daemon)
            connection.send(head)
            connection.received = connection.socket.recv(4096)
            if connection.received.startswith(b"HTTP/1.1 100"):
                connection.send(HALF)
                held.append(connection)
                continue
            answer = connection.response()
            self.assertEqual(self.assert_problem(answer, 503, "no room"), "bodies-full")
            self.assertEqual((answer.header("retry-after"), answer.closes), ("1", True))
            self.assertTrue(connection.ended())
            refused += 1
        self.assertEqual((len(held), refused), (4, CLIENTS - 4))
        trackd.wait_until(lambda: self.daemon.resident_bytes() - self.before > 3 * len(HALF), "the halves are there")
        self.assert_small_ones_pass()
        self.assert_bounded()
        self.assertEqual(self.daemon.status()["limits"]["http.max_bodies_bytes"], refused)
        self.assert_room_again(held)

    def test_bodies_in_chunks_are_refused_as_soon_as_they_find_no_room(self):
        head = request_bytes("POST", "/events", Transfer_Encoding="chunked").replace(b"Content-Length: 0\r\n", b"")
        clients = []
        for _ in range(CLIENTS):
            connection = self.connect(self.daemon)
            connection.send_and_hear(head + b"400000\r\n" + HALF)  # a chunk of 4 MiB, of which half comes
            clients.append(connection)
        trackd.wait_until(
            lambda: self.daemon.status()["limits"]["http.max_bodies_bytes"] >= CLIENTS - ROOM // len(HALF),
            "those that do not fit are refused")
        self.assert_small_ones_pass()
        self.assert_bounded()
        refused = self.daemon.status()["limits"]["http.max_bodies_bytes"]
        told = [connection for connection in clients if connection.received]
        for connection in told:
            self.assertEqual(self.assert_problem(connection.response(), 503), "bodies-full")
        self.assertGreater(refused, 0)
        self.assertLessEqual(len(told), refused)
        self.assert_room_again(clients)

    def test_what_a_connection_keeps_anyway_is_never_refused(self):
        head = request_bytes("POST", "/events", Content_Length=4 * MIB, Expect="100-continue")
        held = [self.connect(self.daemon) for _ in range(ROOM // (4 * MIB))]
        for connection in held:
            connection.send(head)
            self.assertIn(b" 100 ", connection.socket.recv(4096))
        body = b'{"data":"' + b"x" * 30_000 + b'"}'
        self.assertEqual(self.daemon.post(body).status, 201)
        body = b'{"data":"' + b"x" * 8_000 + b'"}'
        chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        with self.daemon.connect() as connection:
            connection.send(request_bytes("POST", "/events", Transfer_Encoding="chunked").replace(
                b"Content-Length: 0\r\n", b"") + chunked)
            self.assertEqual(connection.response().status, 201)
        self.assertEqual(self.daemon.status()["limits"]["http.max_bodies_bytes"], 0)
        self.assert_room_again(held)


if __name__ == "__main__":
    unittest.main()
