"""What happens to trackd in the middle of a client's requests, a column of the matrix each.

A trouble is called with each request at the front, and returns the response's bytes, or None for a connection that is
reset. From its request on it makes trouble until one request has met it; then all is well again, before the next request.
"""
from support.front import status_of
from support.trackd import wait_until

FILLER = "filler"  # the type of the events that fill the journal up


class Trouble:
    settings = {}  # of the daemon
    stored = False  # whether the events of the request that meets it are stored, whatever the client is told

    def __init__(self, cell, first):
        self.cell = cell
        self.first = first  # the request from which on there is trouble
        self.met = False

    def on_request(self, number, request):
        if number < self.first:
            return self.cell.front.exchange(request)
        return self.meet(request)

    def meet(self, request):
        raise NotImplementedError

    def answered(self, request, status):
        """The response of trackd, which must have this status."""
        response = self.cell.front.exchange(request)
        assert status_of(response) == status, response
        self.met = True
        return response


class Restart(Trouble):
    """trackd is stopped with SIGTERM; the request finds nothing that listens."""

    def meet(self, request):
        self.cell.daemon.stop()
        self.cell.start_again()
        self.met = True


class Kill(Trouble):
    """trackd has stored the request's events, and is killed with SIGKILL before the client gets the answer."""
    stored = True

    def meet(self, request):
        response = self.cell.front.exchange(request)
        assert status_of(response) in (200, 201), response
        self.cell.daemon.crash()
        self.cell.start_again()
        self.met = True


class WithdrawnKey(Trouble):
    """A reload withdraws the key; it is back after the first answer of 401."""

    def meet(self, request):
        self.cell.configure(with_key=False)
        response = self.answered(request, 401)
        self.cell.configure()
        return response


class RateLimit(Trouble):
    """A reload limits the key's events; the limit is gone after the first answer of 429."""
    limited = False

    def meet(self, request):
        if not self.limited:
            self.limited = True
            self.cell.configure("events_per_second = 1")
        response = self.cell.front.exchange(request)
        if status_of(response) == 429:
            self.met = True
            self.cell.configure()
        return response


class FullJournal(Trouble):
    """The database is locked and the journal full of other events, until the first answer of 503."""
    settings = {"journal.segment_bytes": "64KiB", "journal.max_bytes": "128KiB"}

    def meet(self, request):
        lock = self.cell.daemon.lock_database()
        self.fill(8000)
        self.fill(50)
        response = self.answered(request, 503)
        lock.close()
        wait_until(lambda: self.post_filler(50) == 201, "room in the journal")
        return response

    def fill(self, size):
        for _ in range(2000):
            if self.post_filler(size) == 503:
                return
        raise AssertionError("the journal is not full after 2000 events")

    def post_filler(self, size):
        return self.cell.daemon.post(
            {"type": FILLER, "data": "x" * size}, Authorization=f"Bearer {self.cell.spare_key}").status


class Unconfirmed(Trouble):
    """With `tracker.ack = "delivered"` the database is locked until the first answer of 503: stored, not confirmed."""
    settings = {"tracker.ack": "delivered", "tracker.ack_timeout": "3s"}
    stored = True

    def meet(self, request):
        lock = self.cell.daemon.lock_database()
        response = self.answered(request, 503)
        lock.close()
        self.cell.daemon.wait_until_delivered()
        return response
