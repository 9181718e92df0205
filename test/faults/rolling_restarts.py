"""Restarts under load, again and again, with 64 clients that keep their connections and try nothing twice: where
somebody else holds the listening socket, as systemd does, no request fails.

Without that the port is closed between two daemons, which is shown, too: what it costs is printed, for docs/systemd.md.
TRACKD_ROUNDS says how often it is restarted.
"""
import collections
import http.client
import os
import random
import socket
import threading
import time

from support import ports, trackd
from support.activation import activate

ROUNDS = int(os.environ.get("TRACKD_ROUNDS", "20"))
CLIENTS = 64
# Whoever is slow on a busy machine may still send its one more request: a stage ends as soon as it has nothing to do.
PATIENT = {"shutdown.idle_timeout": "1m", "shutdown.request_timeout": "1m", "shutdown.drain_timeout": "1m"}


class Clients:
    """Python's own HTTP client, in threads: it opens a new connection when an answer said that the old one closes. A
    request that fails is not sent again."""

    def __init__(self, address):
        self.address = address
        self.created = []  # ids
        self.failed = collections.Counter()  # what the client raised, or the status → how often
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, more):
        enough = len(self.created) + more
        trackd.wait_until(lambda: len(self.created) >= enough, f"{enough} answers 201, not {self.failed}")

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join(trackd.PATIENCE)
        if any(thread.is_alive() for thread in self._threads):
            raise AssertionError("a client's request does not end")

    def _run(self, number):
        pauses = random.Random(number)
        connection = http.client.HTTPConnection(*self.address, timeout=trackd.PATIENCE)
        for request in range(1_000_000):
            if self._over.wait(pauses.uniform(0, 0.02)):
                return connection.close()
            event = f"client-{number}-{request}"
            body = f'{{"id":"{event}","data":{request}}}'
            try:
                connection.request("POST", "/events", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as failure:
                self.failed[type(failure).__name__] += 1
                connection.close()
                continue
            if answer.status == 201:
                self.created.append(event)
            else:
                self.failed[answer.status] += 1


class RollingRestarts(trackd.TestCase):
    def restart_under_load(self, address, start):
        """Restarts what `start` starts, and returns the clients when they have ended."""
        daemon = start(None)
        clients = Clients(address)
        self.took = 0
        try:
            for _ in range(ROUNDS):
                clients.wait_for(100)
                began = time.monotonic()
                daemon.stop()
                daemon = start(daemon)
                self.took += time.monotonic() - began
            clients.wait_for(100)
        finally:
            clients.stop()
        daemon.stop()
        self.assertEqual(len(set(clients.created) - set(daemon.ids())), 0, "answers 201 without a row")
        return clients

    def tell(self, how, clients):
        print(f"ledger restarts {how}: {ROUNDS} of {self.took / ROUNDS:.2f} s each under {CLIENTS} clients, "
              f"{len(clients.created)} answers 201, failed requests {clients.failed.total()} {dict(clients.failed)}",
              flush=True)

    def directory_of(self, daemon):
        return daemon.directory if daemon else self.empty_directory()

    def test_with_socket_activation_no_request_fails(self):
        held = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.addCleanup(held.close)
        clients = self.restart_under_load(held.getsockname(), lambda before: activate(
            self.start, [held], {**PATIENT, "http.listen": "systemd"}, directory=self.directory_of(before)))
        self.tell("with socket activation", clients)
        self.assertEqual(clients.failed, {})

    def test_without_it_only_those_fail_who_connect_while_nobody_listens(self):
        host, port = "127.0.0.1", ports.free_port()
        clients = self.restart_under_load((host, port), lambda before: self.start(
            {**PATIENT, "http.listen": f"{host}:{port}"}, directory=self.directory_of(before)))
        self.tell("without socket activation", clients)
        self.assertLessEqual(set(clients.failed), {"ConnectionRefusedError", "ConnectionResetError"}, clients.failed)
