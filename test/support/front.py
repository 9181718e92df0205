"""A server in front of a daemon, that passes on one request after the other, byte for byte, until a test does otherwise.

    front = Front.start(self, daemon.ingest)   # a unittest.TestCase; gone after the test
    front.on_request = lambda number, request: front.exchange(request)   # which is the default

`on_request` is called with the number of each POST, from 1 on, and its bytes, and returns the response's bytes; None resets
the connection. There is one call at a time, so that a test may stop the daemon meanwhile, and start another one.
"""
import re
import socket
import struct
import threading

from support import trackd
from support.ports import connections_to


def status_of(response):
    return int(response.split(b" ", 2)[1])


def read_message(stream):
    """The bytes of one request or response; empty where the peer has closed."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b""
        head += line
    if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        return head + read_chunks(stream)
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + stream.read(int(length[1]) if length else 0)


def read_chunks(stream):
    body = b""
    while True:
        size = stream.readline()
        chunk = stream.read(int(size, 16) + 2)
        body += size + chunk
        if len(chunk) == 2:
            return body


class Front:
    def __init__(self, target):
        self.target = target
        self.on_request = lambda number, request: self.exchange(request)
        self.requests = 0  # POSTs
        self.statuses = []  # of the answers to them, in their order
        self.error = None  # the first one that `on_request` raised
        self._one_at_a_time = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    def start(cls, case, target):
        front = cls(target)
        case.addCleanup(front.close)
        return front

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # which wakes `accept`
        self._listener.close()

    def exchange(self, request):
        """Sends it to the daemon, and returns its response."""
        with socket.create_connection(self.target, timeout=trackd.PATIENCE) as connection:
            try:
                connection.sendall(request)
            except OSError:  # it has answered, and closed, before it read all
                pass
            return read_message(connection.makefile("rb"))

    def _accept(self):
        for client in connections_to(self._listener):
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rb") as stream:
            try:
                while request := read_message(stream):
                    response = self._answer(request)
                    if not response:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    client.sendall(response)
                    if re.search(rb"(?i)\r\nconnection: *close", response.split(b"\r\n\r\n")[0]):
                        return
            except OSError:  # the client has left
                pass

    def _answer(self, request):
        with self._one_at_a_time:
            try:
                if not request.startswith(b"POST "):
                    return self.exchange(request)
                self.requests += 1
                response = self.on_request(self.requests, request)
                if response:
                    self.statuses.append(status_of(response))
                return response
            except Exception as error:  # the thread has nowhere to raise it
                self.error = self.error or error
                return None
