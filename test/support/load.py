"""Load on the ingest listener: `Ledger`, which knows the fate of every single event, `Stream`, which keeps them in order,
and `Wrk`, which is fast."""
import collections
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import unittest

from support.raw_http import Connection, request_bytes
from support.tls import wrap
from support.trackd import PATIENCE, wait_until

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Ledger:
    """Keeps `connections` busy, one event a request, and writes down each answer under the event's id.

    A connection ends when nobody listens any more, when `stop` was called and its request is answered, or when
    `requests` have been sent in all. The run is over when all have ended: soon after the daemon was killed, too.
    """

    def __init__(self, address, connections=64, requests=None, padding=0, prefix="event", keep_alive=True, tls=None):
        self.address = address
        self.tls = tls  # a client's context of support.tls
        self.requests = requests
        self.padding = "x" * padding
        self.prefix = prefix  # of the events' ids
        self.wish = "" if keep_alive else "Connection: close\r\n"
        self.answers = collections.defaultdict(list)  # status → ids
        self.problems = collections.defaultdict(list)  # the last part of a problem's type → ids
        self.cut_off = []  # ids of requests without an answer on a connection that had answered before
        self.unheard = []  # ids of requests without an answer on a new connection: the listener had closed
        self.first_refusal = None  # the first answer that is no 201, as bytes
        self.error = None
        self._sent = 0
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, args=(connections,), daemon=True)

    @property
    def created(self):
        return self.answers[201]

    @property
    def sent(self):
        """All ids, whatever became of them."""
        return [f"{self.prefix}-{number}" for number in range(1, self._sent + 1)]

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._stopping = True
        self.wait()

    def wait(self, patience=PATIENCE):
        """Waits until every connection has ended."""
        self._thread.join(patience)
        if self._thread.is_alive():
            raise AssertionError("the load generator's connections do not end")
        if self.error:
            raise self.error

    def wait_for_created(self, count):
        wait_until(lambda: len(self.created) >= count or not self._thread.is_alive(), f"{count} answers 201")
        if len(self.created) < count:
            raise AssertionError(f"the load ended after {self.outcome()}; {self.error}")

    def outcome(self):
        counts = {status: len(ids) for status, ids in self.answers.items()}
        problems = {slug: len(ids) for slug, ids in self.problems.items()}
        return f"{counts}, {problems}, cut off {len(self.cut_off)}, unheard {len(self.unheard)}, {self.first_refusal}"

    def _run(self, connections):
        try:
            for _ in range(connections):
                self._open()
            while self._selector.get_map():
                for key, events in self._selector.select(1):
                    key.data.on_write() if events & WRITE else key.data.on_read()
        except BaseException as error:  # shown by wait()
            self.error = error
        finally:
            for key in list(self._selector.get_map().values()):
                key.fileobj.close()
            self._selector.close()

    def _next_request(self):
        """Id and bytes of the next request; None when there is none to be sent."""
        if self._stopping or self._sent == self.requests:
            return None
        self._sent += 1
        event = f"{self.prefix}-{self._sent}"
        body = f'{{"id":"{event}","type":"load","data":{{"padding":"{self.padding}"}}}}'
        head = "POST /events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + self.wish
        return event, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def _open(self):
        if request := self._next_request():
            try:
                connection = socket.create_connection(self.address, PATIENCE)
                if self.tls:
                    connection = wrap(self.tls, connection)
                self._selector.register(connection, WRITE, _Line(self, connection, request))
            except (ConnectionRefusedError, ConnectionResetError, ssl.SSLEOFError):
                self.unheard.append(request[0])


class _Line:
    """One connection of a Ledger, with one request under way."""

    def __init__(self, ledger, connection, request):
        connection.setblocking(False)
        self.ledger, self.connection = ledger, connection
        self.event, self.unsent = request
        self.received = b""
        self.answered = 0

    def on_write(self):
        try:
            self.unsent = self.unsent[self.connection.send(self.unsent):]
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except (BrokenPipeError, ConnectionResetError):
            self.unsent = b""  # an answer may have come before: read on
        if not self.unsent:
            self.ledger._selector.modify(self.connection, READ, self)

    def on_read(self):
        try:
            chunk = self.connection.recv(65536)
        except ssl.SSLWantReadError:  # a session ticket, or not all of a record
            return
        except ConnectionResetError:
            chunk = b""
        self.received += chunk
        head, found, body = self.received.partition(b"\r\n\r\n")
        if found and len(body) >= (length := int(re.search(rb"(?i)\ncontent-length: *(\d+)", head)[1])):
            self._answer(head, body[:length])
        elif not chunk:
            (self.ledger.cut_off if self.answered else self.ledger.unheard).append(self.event)
            self._end(reopen=True)

    def _answer(self, head, body):
        status = int(head[9:12])
        self.ledger.answers[status].append(self.event)
        if status != 201:
            self.ledger.problems[json.loads(body)["type"].rpartition(":")[2]].append(self.event)
            self.ledger.first_refusal = self.ledger.first_refusal or head + b"\r\n\r\n" + body
        self.answered += 1
        self.received = b""
        if b"\nconnection: close" in head.lower():
            self._end(reopen=True)
        elif request := self.ledger._next_request():
            self.event, self.unsent = request
            self.ledger._selector.modify(self.connection, WRITE, self)
        else:
            self._end(reopen=False)

    def _end(self, reopen):
        self.ledger._selector.unregister(self.connection)
        self.connection.close()
        if reopen:
            self.ledger._open()


class Stream:
    """Posts the events e-0 and so on, in order, one request after the other, until so many are answered 201: also to a
    daemon that dies on the way, and comes back at the same address.

    What got no answer may be stored or not. It is not sent again; others follow.
    """

    def __init__(self, address, events, at_once=200):
        self.address = address
        self.events = events
        self.at_once = at_once
        self.created = []  # ids that were answered 201
        self.unheard = []  # the ids of each request without an answer
        self.refused = []  # ids that were answered 503, because the daemon was about to end
        self._error = None
        self._allowed = events
        self._changed = threading.Condition()
        self._connection = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def allow(self, events):
        """Has it stand still when so many are answered 201."""
        with self._changed:
            self._allowed = events
            self._changed.notify_all()

    def raise_error(self):
        if self._error:
            raise self._error

    def wait(self, patience=600):
        """Waits until all are answered."""
        self._thread.join(patience)
        self.raise_error()
        if self._thread.is_alive():
            raise AssertionError(f"after {patience:g} s only {len(self.created)} events are answered 201")

    def _run(self):
        try:
            first = 0
            while len(self.created) < self.events:
                with self._changed:
                    self._changed.wait_for(lambda: len(self.created) < self._allowed)
                self._post([f"e-{number}" for number in range(first, first + self.at_once)])
                first += self.at_once
        except BaseException as error:  # shown by wait()
            self._error = error
        finally:
            self._hang_up()

    def _post(self, ids):
        body = "\n".join(f'{{"id":"{event}","data":{{"n":{event[2:]}}}}}' for event in ids)
        self._connection = self._connection or wait_until(self._connect, "somebody listens there")
        try:
            self._connection.send(request_bytes("POST", "/events", body, Content_Type="application/x-ndjson"))
            answer = self._connection.response()
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        if answer is None:
            self.unheard.append(ids)
        elif answer.status == 201:
            self.created += ids
        elif answer.status == 503 and answer.json()["type"].endswith(":shutting-down"):
            self.refused += ids
        else:
            raise AssertionError(f"not answered 201: {answer}")
        if answer is None or answer.closes:
            self._hang_up()

    def _connect(self):
        try:
            return Connection(self.address)
        except ConnectionRefusedError:
            return None

    def _hang_up(self):
        if self._connection:
            self._connection.close()
        self._connection = None


class Wrk:
    """wrk(1) with one event a request, or `events`. Its counts are exact if it outlives the daemon: what is under way when wrk
    itself ends would be answered, but not counted. `pause_ms` is the average pause between two requests of one of its
    connections; `wrapper` a command that runs it; `request` a file with the bytes of another request."""

    SCRIPT = pathlib.Path(__file__).with_name("wrk.lua")

    def __init__(self, address, connections=64, seconds=PATIENCE, pause_ms=0, events=1, wrapper=(), request=None):
        program = shutil.which("wrk")
        if not program:
            raise unittest.SkipTest("wrk is not installed")
        self.process = subprocess.Popen(
            [*wrapper, program, "-t1", f"-c{connections}", f"-d{int(seconds)}s", "-s", str(self.SCRIPT),
             f"http://{address[0]}:{address[1]}/events"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PAUSE_MS": str(pause_ms), "EVENTS": str(events),
                 **({"REQUEST": str(request)} if request else {})},
        )

    def stop(self):
        """Ends it now."""
        self.process.send_signal(signal.SIGINT)
        return self.result()

    def result(self):
        """What it has counted, once it has ended: created, others, seconds, and latencies in microseconds."""
        output = self.process.communicate(timeout=2 * PATIENCE)[0]
        match = re.search(r"^RESULT (.*)$", output, re.MULTILINE)
        if not match:
            raise AssertionError(f"wrk gave no result:\n{output}")
        return json.loads(match[1])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
