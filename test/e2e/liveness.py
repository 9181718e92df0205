"""Liveness by progress: what /healthz says, and a service manager is told, when something in trackd stands still."""
import os
import queue
import re
import signal
import socket
import threading
import time

from support import trackd
from support.frozen_thread import frozen, thread_named
from support.raw_http import Connection

# A watchdog so impatient that the daemon looks every 0.1 s, and finds after 1 s that something ails.
IMPATIENT = {"WATCHDOG_USEC": "400000"}


class Manager:
    """The end of NOTIFY_SOCKET that systemd has."""

    def __init__(self, name):
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(name.replace("@", "\0", 1))
        self._told = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while message := self._socket.recv(4096):
            self._told.put(message.decode())

    def next(self, patience=trackd.PATIENCE):
        """The next message; nothing if there is none for so long."""
        try:
            return self._told.get(timeout=patience)
        except queue.Empty:
            return None

    def wait_for(self, message):
        while (found := self.next()) != message:
            if found is None:
                raise AssertionError(f"it was not told {message!r}")

    def forget(self):
        while self.next(0):
            pass


class Liveness(trackd.TestCase):
    def managed(self, name=None, settings=None, **environment):
        manager = Manager(name or str(self.empty_directory() / "notify"))
        daemon = self.start(settings, environment={"NOTIFY_SOCKET": manager.name, **environment})
        manager.wait_for("STATUS=running\nREADY=1")
        return manager, daemon

    def health(self, address):
        with Connection(address) as connection:
            answer = connection.request("GET", "/healthz")
            return answer.status, answer.body.decode().strip()

    def test_the_service_manager_is_told_of_each_stage(self):
        for name in (None, f"@trackd-test-{os.getpid()}"):
            with self.subTest(name):
                manager, daemon = self.managed(name)
                daemon.stop()
                self.assertEqual(
                    [manager.next() for _ in range(4)],
                    ["STATUS=lame_duck\nSTOPPING=1", "STATUS=closing", "STATUS=draining", "STATUS=stopped"])

    def test_the_service_manager_is_told_of_each_reload_also_of_one_that_is_refused(self):
        manager, daemon = self.managed()
        for text, said in (("[tracker]\nsource = 'other'\n", "is in force"), ("nonsense", "is refused")):
            with self.subTest(text):
                daemon.file.write_text(text)
                before = time.monotonic_ns() // 1000
                daemon.signal(signal.SIGHUP)
                match = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)\nSTATUS=reloading", manager.next())
                self.assertLessEqual(before, int(match[1]))
                self.assertLessEqual(int(match[1]), time.monotonic_ns() // 1000)
                self.assertEqual(manager.next(), "STATUS=running\nREADY=1")
                self.assertTrue(daemon.log.wait_for(f"^SIGHUP: .*{said}"))
        daemon.stop()

    def test_a_daemon_that_cannot_start_is_never_ready(self):
        manager = Manager(str(self.empty_directory() / "notify"))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            self.start({"http.listen": address}, environment={"NOTIFY_SOCKET": manager.name}, wait=False).refusal()
        self.assertIsNone(manager.next(0))

    def test_the_watchdog_is_fed_also_while_it_drains(self):
        manager, daemon = self.managed(settings={**trackd.MEMORY, "shutdown.drain_timeout": "1h"}, **IMPATIENT)
        lock = daemon.lock_database()
        daemon.post({"n": 1})
        daemon.signal()
        manager.wait_for("STATUS=draining")
        for _ in range(20):  # twice the time after which something ails
            self.assertEqual(manager.next(), "WATCHDOG=1")
        lock.close()
        self.assertEqual(daemon.wait().delivered, 1)

    def test_an_io_thread_that_stands_still_makes_it_unhealthy_until_it_moves_again(self):
        manager, daemon = self.managed(settings={"http.threads": 2}, **IMPATIENT)
        with frozen(thread_named(daemon.pid, "io-2")):
            trackd.wait_until(lambda: self.health(daemon.admin)[0] == 503, "unhealthy")
            self.assertEqual(self.health(daemon.admin), (503, "thread io-2 stands still"))
            manager.forget()
            self.assertIsNone(manager.next(1), "the watchdog is fed")
        trackd.wait_until(lambda: self.health(daemon.admin) == (200, "ok"), "healthy")
        self.assertEqual(manager.next(), "WATCHDOG=1")
        self.assertTrue(daemon.log.find("^not alive: thread io-2 stands still"))
        self.assertTrue(daemon.log.find("^alive again"))
        daemon.stop()

    def test_a_main_thread_that_stands_still_shows_on_the_ingest_listener(self):
        manager, daemon = self.managed(**IMPATIENT)
        with self.connect(daemon) as connection:
            self.assertEqual(connection.request("GET", "/healthz").status, 200)
            with frozen(daemon.pid):
                trackd.wait_until(lambda: connection.request("GET", "/healthz").status == 503, "unhealthy")
                self.assertEqual(connection.request("GET", "/healthz").body, b"not alive\n", "no word of its threads")
                manager.forget()
                self.assertIsNone(manager.next(1), "the watchdog is fed")
            trackd.wait_until(lambda: connection.request("GET", "/healthz").status == 200, "healthy")
        self.assertEqual(manager.next(), "WATCHDOG=1")
        daemon.stop()

    def test_a_sink_that_does_not_answer_is_no_reason_to_take_it_for_dead(self):
        manager, daemon = self.managed(**IMPATIENT)
        lock = daemon.lock_database()
        daemon.post({"n": 1})
        trackd.wait_until(lambda: daemon.sink("sqlite")["pending"] == 1, "an event that is not delivered")
        for _ in range(20):  # twice the time after which something ails
            self.assertEqual(manager.next(), "WATCHDOG=1")
        trackd.wait_until(lambda: self.health(daemon.admin) == (200, "ok"), "healthy")
        lock.close()
        self.assertEqual(daemon.stop().delivered, 1)
