"""A small HTTP/1.1 client that shows every byte: what a library would hide is what the tests are about."""
import json
import re
import select
import socket
import ssl
import struct
import time

from support.tls import half_close, wrap

PATIENCE = 90


class Response:
    def __init__(self, status, headers, body, interim):
        self.status = status
        self.headers = headers  # list of (lower-case name, value)
        self.body = body
        self.interim = interim  # status codes of the 1xx answers before it

    def header(self, name):
        return next((value for known, value in self.headers if known == name.lower()), None)

    @property
    def closes(self):
        return (self.header("connection") or "").lower() == "close"

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"


class Connection:
    """One connection, to (host, port) or to the path of a Unix socket. Reading gives up after PATIENCE seconds with
    socket.timeout. `tls` is a client's context of support.tls."""

    def __init__(self, address, tls=None, session=None, source=None):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(PATIENCE)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout=PATIENCE, source_address=source)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.end_seen = False
        self.received = b""
        if tls:
            try:
                self.socket = wrap(tls, self.socket, session)
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def half_close(self):
        half_close(self.socket)

    def send(self, data):
        self.socket.sendall(data)

    def send_and_hear(self, data):
        """Sends, and takes in what comes meanwhile: with a peer that answers before it has read all, a plain send
        could wait for ever. Ends early where the peer closes."""
        self.socket.setblocking(False)
        deadline = time.monotonic() + PATIENCE
        try:
            while data and time.monotonic() < deadline:
                readable, writable, _ = select.select([self.socket], [self.socket], [], 1)
                if readable:
                    try:
                        if not (chunk := self.socket.recv(65536)):
                            self.end_seen = True
                            return
                        self.received += chunk
                    except ssl.SSLWantReadError:  # a record that is none of the data, or not all of one
                        pass
                if writable:
                    try:
                        data = data[self.socket.send(data[:65536]):]
                    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                        pass
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            pass
        finally:
            self.socket.settimeout(PATIENCE)

    def request(self, method, path, body=b"", **headers):
        self.send(request_bytes(method, path, body, **headers))
        answer = self.response(method)
        if answer is None:
            raise AssertionError(f"{method} {path}: the connection was closed without an answer")
        return answer

    def response(self, method="POST"):
        """The next answer; None where the peer closes before its first byte."""
        interim = []
        while True:
            head = self._until(b"\r\n\r\n")
            if head is None:
                return None
            status, headers = parse_head(head)
            if status >= 200:
                break
            interim.append(status)
        fields = dict(headers)
        length = 0 if method == "HEAD" or status in (204, 304) else int(fields["content-length"])
        return Response(status, headers, self._exactly(length), interim)

    def ended(self):
        """Waits for the peer's end of stream: True, or False where other bytes come."""
        # Once it was there: who reads again, with bytes unsent, may be told of the reset that came after it.
        return not self.received and (self.end_seen or self.socket.recv(65536) == b"")

    def _more(self):
        chunk = self.socket.recv(65536)
        self.received += chunk
        return bool(chunk)

    def _until(self, mark):
        while mark not in self.received:
            if not self._more():
                if self.received:
                    raise AssertionError(f"the connection was closed within an answer: {self.received[:300]!r}")
                return None
        head, _, self.received = self.received.partition(mark)
        return head

    def _exactly(self, length):
        while len(self.received) < length:
            if not self._more():
                raise AssertionError(f"the connection was closed within an answer: {self.received[:300]!r}")
        body, self.received = self.received[:length], self.received[length:]
        return body


def parse_head(head):
    line, *fields = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.[01] (\d{3}) .*", line)
    if not match:
        raise AssertionError(f"no status line: {line!r}")
    pairs = [field.partition(":") for field in fields]
    return int(match[1]), [(name.lower(), value.strip()) for name, _, value in pairs]


def request_bytes(method, path, body=b"", **headers):
    """Header names are written with `_` for `-`; Content-Length is there where a body, or a POST, is."""
    body = body.encode() if isinstance(body, str) else body
    fields = {"Host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body or method == "POST":
        fields.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
