"""More clients than the limit on open files allows: the daemon stays up, stays calm, and serves again."""
import pathlib
import shutil
import time

from support import trackd
from support.raw_http import request_bytes

LIMIT = 64
CLIENTS = 300


class Descriptors(trackd.TestCase):
    def setUp(self):
        if not shutil.which("prlimit"):
            self.skipTest("prlimit is not installed")

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.daemon.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def crowd(self, settings=None):
        self.daemon = self.start(settings, wrapper=("prlimit", f"--nofile={LIMIT}:{LIMIT}"))
        clients = [self.connect(self.daemon) for _ in range(CLIENTS)]
        for client in clients:
            client.send(request_bytes("GET", "/healthz", Connection="close"))
        return clients

    def assert_all_served(self, clients):
        for client in clients:
            answer = client.response()
            self.assertIsNotNone(answer)
            self.assertIn(answer.status, (200, 503))
            client.close()
        self.assertEqual(self.daemon.post({"n": 1}).status, 201)
        self.assertEqual(self.daemon.stop().delivered, 1)

    def test_the_default_bound_on_connections_fits_the_limit(self):
        clients = self.crowd()
        self.assert_all_served(clients)

    def test_idle_clients_over_the_limit_are_waited_for_calmly(self):
        """With a bound on connections that promises more than there are descriptors."""
        self.daemon = self.start({"http.max_connections": 1000}, wrapper=("prlimit", f"--nofile={LIMIT}:{LIMIT}"))
        clients = [self.connect(self.daemon) for _ in range(CLIENTS)]
        trackd.wait_until(lambda: self.daemon.open_files() >= LIMIT - 1, "the descriptors are used up")
        lines, before = len(self.daemon.log.entries), self.processor_seconds()
        time.sleep(1)  # the one thing to be watched here is what goes on when nothing happens
        if not trackd.SANITIZER:
            self.assertLess(self.processor_seconds() - before, 0.2, "processor time of one second")
        self.assertLess(len(self.daemon.log.entries) - lines, 20, "log lines of one second")
        for client in clients:
            client.close()
        self.assertEqual(self.daemon.post({"n": 1}).status, 201)
        self.assertEqual(self.daemon.stop().delivered, 1)
