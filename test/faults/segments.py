"""However the network cuts a request, and however the client leaves, the answer and the books are the same.

Cases T08 to T11: half-close, reset, one request and two pipelined ones cut at every byte boundary.
"""
import os
import pathlib
import threading

from support import trackd
from support.raw_http import request_bytes

STEP = int(os.environ.get("TRACKD_STEP", "1"))
CHUNKED = (b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"5;x=y\r\n{\"n\":\r\n2\r\n1}\r\n0\r\nTrailer: t\r\n\r\n")
PLAIN = request_bytes("POST", "/events", b'{"n":1}', Content_Type="application/json")
REFUSED = request_bytes("POST", "/events", b'{"n":', Content_Type="application/json")


class Segments(trackd.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = trackd.Daemon()
        cls.addClassCleanup(cls.daemon.kill)

    def accepted(self):
        return self.daemon.status()["tracker"]["accepted"]

    def cut_everywhere(self, data, statuses):
        before, cuts = self.accepted(), range(1, len(data), STEP)
        connection = self.connect(self.daemon)
        for cut in cuts:
            connection.send(data[:cut])
            self.wait_until_read(connection)
            connection.send(data[cut:])
            for status in statuses:
                self.assertEqual(connection.response().status, status, f"cut at byte {cut}")
        self.assertEqual(self.accepted() - before, len(cuts) * statuses.count(201))

    def wait_until_read(self, connection):
        """Until the daemon has taken what was sent out of its socket's queue, as the kernel shows it."""
        ends = ["0100007F:%04X" % port for _, port in (self.daemon.ingest, connection.socket.getsockname())]

        def is_read():
            for line in pathlib.Path("/proc/net/tcp").read_text().splitlines():
                fields = line.split()
                if fields[1:3] == ends:
                    return fields[4].endswith(":00000000")
            return False

        trackd.wait_until(is_read, "the daemon reads")

    def test_a_plain_request(self):
        self.cut_everywhere(PLAIN, [201])

    def test_a_chunked_request(self):
        self.cut_everywhere(CHUNKED, [201])

    def test_a_request_that_is_refused(self):
        self.cut_everywhere(REFUSED, [400])

    def test_two_pipelined_requests(self):
        self.cut_everywhere(PLAIN + CHUNKED, [201, 201])

    def test_byte_by_byte(self):
        connection = self.connect(self.daemon)
        for byte in CHUNKED + PLAIN:
            connection.send(bytes([byte]))
        self.assertEqual([connection.response().status for _ in range(2)], [201, 201])

    def test_a_half_closed_client_gets_its_answer(self):
        for data in (PLAIN, CHUNKED):
            with self.daemon.connect() as connection:
                connection.send(data)
                connection.half_close()
                self.assertEqual(connection.response().status, 201)
                self.assertTrue(connection.ended())

    def test_half_a_request_before_the_end_of_stream_stores_nothing(self):
        before = self.accepted()
        for cut in range(0, len(PLAIN), 7):
            with self.daemon.connect() as connection:
                connection.send(PLAIN[:cut])
                connection.half_close()
                answer = connection.response()
                self.assertIn(answer and answer.status, (None, 400, 408))
        self.assertEqual(self.accepted(), before)

    def test_a_reset_after_the_request_stores_it_whole_or_not_at_all(self):
        def post_and_reset():
            for _ in range(50):
                with self.daemon.connect() as connection:
                    connection.send(request_bytes("POST", "/events", b'[{"data":"reset"},{"data":"reset"}]'))
                    connection.reset()

        before = self.accepted()
        threads = [threading.Thread(target=post_and_reset) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        trackd.wait_until(lambda: self.daemon.tasks()["counts"]["connections"] == 1, "the connections are gone")
        stored = self.accepted() - before
        self.assertEqual(stored % 2, 0)
        self.assertLessEqual(stored, 400)
        trackd.wait_until(lambda: self.daemon.sink("sqlite")["pending"] == 0, "all delivered")
        rows = self.daemon.query("SELECT count(*) AS n FROM events WHERE data = '\"reset\"'")
        self.assertEqual(rows[0]["n"], stored)
