"""An HTTP server that answers as a test tells it, and keeps what it was sent.

    target = HttpTarget.start(self)         # a unittest.TestCase; the server is gone after the test
    target.answer(429, Retry_After="1")     # the next request; without such a plan: 200
    daemon = self.start({"sinks": target.sink()})
    target.ids()
"""
import collections
import gzip
import http.server
import json
import subprocess
import threading

from support import trackd

Request = collections.namedtuple("Request", "path headers body")


def sink(url, **options):
    """The array of one sink, named http, that POSTs there."""
    def literal(value):
        return "[" + ",".join(map(literal, value)) + "]" if isinstance(value, list) else json.dumps(value)
    table = {"name": "http", "kind": "http", "url": url, **options}
    return "[{" + ", ".join(f"{key} = {literal(value)}" for key, value in table.items()) + "}]"


def unpacked(request):
    coding = request.headers.get("Content-Encoding")
    if coding == "gzip":
        return gzip.decompress(request.body)
    if coding == "zstd":
        return subprocess.run(["zstd", "-dc"], input=request.body, capture_output=True, check=True).stdout
    return request.body


def events_of(request):
    body = unpacked(request)
    if request.headers["Content-Type"] == "application/x-ndjson":
        return [json.loads(line) for line in body.splitlines()]
    return json.loads(body)


class HttpTarget:
    def __init__(self, tls=None, host="localhost", port=0):
        """`tls` is a context of ssl, for a server."""
        self.requests = []  # those that were taken with a 2xx
        self.refused = []  # all others
        self.connections = 0
        self.knows_expect = True  # else it answers 417 to Expect, and closes
        self.expectations = 0  # those that it has refused
        self.held = threading.Event()  # a request came that is to be held
        self._go = threading.Event()
        self._plan = collections.deque()
        self._rule = None
        self._lock = threading.Lock()
        self._tls = tls
        self._host = host
        self._server = self._make_server(port)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @classmethod
    def start(cls, case, **options):
        target = cls(**options)
        case.addCleanup(target.close)
        return target

    def close(self):
        self._go.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}/events"

    def sink(self, **options):
        return sink(options.pop("url", self.url), **options)

    def events(self):
        """Those that it has taken, in their order."""
        return [event for request in list(self.requests) for event in events_of(request)]

    def ids(self):
        return [event["id"] for event in self.events()]

    # --- what it does with the next request

    def answer(self, status, body=b"", times=1, **headers):
        self._plan += [("answer", status, body, headers)] * times

    def cut(self):
        """Ends the connection instead of an answer."""
        self._plan.append(("cut",))

    def hold(self):
        """Keeps its answer back until `release`."""
        self._go.clear()
        self.held.clear()
        self._plan.append(("hold",))

    def release(self):
        self._go.set()

    def answer_where(self, rule):
        """`rule` is asked with the events of every request for its status; None is 200."""
        self._rule = rule

    def _make_server(self, port):
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                with target._lock:
                    target.connections += 1

            def handle_expect_100(self):
                if target.knows_expect:
                    return super().handle_expect_100()
                target.expectations += 1
                self.send_response(417)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()
                return False

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                target._act(self, Request(self.path, self.headers, body))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def finish_request(self, request, client_address):
                if not target._tls:
                    return super().finish_request(request, client_address)
                with target._tls.wrap_socket(request, server_side=True) as wrapped:
                    super().finish_request(wrapped, client_address)

            def handle_error(self, *_):  # whoever connects may leave when it likes
                pass

        return Server((self._host, port), Handler)

    def _act(self, handler, request):
        with self._lock:
            kind, *plan = self._plan.popleft() if self._plan else ("answer", None, b"", {})
        if kind == "hold":
            self.held.set()
            self._go.wait(trackd.PATIENCE)
        if kind == "cut":
            self.refused.append(request)
            handler.close_connection = True
            return
        status, body, headers = plan if plan else (None, b"", {})
        if status is None:
            status = (self._rule(events_of(request)) if self._rule else None) or 200
        (self.requests if 200 <= status < 300 else self.refused).append(request)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
