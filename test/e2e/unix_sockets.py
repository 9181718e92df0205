"""Listeners that are files: `unix:/path`."""
import os
import socket
import stat

from support import trackd
from support.raw_http import Connection


class UnixSockets(trackd.TestCase):
    def setUp(self):
        super().setUp()
        self.place = self.empty_directory()
        self.ingest, self.admin = str(self.place / "ingest.sock"), str(self.place / "admin.sock")
        self.settings = {"http.listen": f"unix:{self.ingest}", "admin.listen": f"unix:{self.admin}"}

    def test_events_come_in_through_a_file(self):
        daemon = self.start(self.settings)
        self.assertEqual((daemon.ingest, daemon.admin), (self.ingest, self.admin))
        self.assertEqual(stat.S_IMODE(os.stat(self.ingest).st_mode), 0o660)
        with daemon.connect() as connection:
            for number in range(100):
                self.assertEqual(connection.request("POST", "/events", f'{{"n":{number}}}').status, 201)
        self.assertEqual(daemon.status()["connections"]["admin"], 1)
        self.assertEqual(daemon.stop().delivered, 100)
        self.assertFalse(os.path.exists(self.ingest) or os.path.exists(self.admin), "removed at the end")

    def test_a_file_and_a_port_at_once(self):
        daemon = self.start({"http.listen": f'["127.0.0.1:0","unix:{self.ingest}"]'})
        for address in daemon.ingest_addresses:
            with Connection(address) as connection:
                self.assertEqual(connection.request("POST", "/events", b'{"n":1}').status, 201)
        self.assertEqual(daemon.stop().delivered, 2)

    def test_what_a_killed_daemon_left_behind_is_replaced(self):
        first = self.start(self.settings)
        first.process.kill()
        first.process.wait()
        self.assertTrue(os.path.exists(self.ingest))
        second = self.start(self.settings)
        self.assertEqual(second.post({"n": 1}).status, 201)
        second.stop()

    def test_a_file_in_use_stops_the_start_and_is_left_alone(self):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.ingest)
            other.listen()
            refused = self.start(self.settings, wait=False)
            self.assertIn(f"cannot listen on unix:{self.ingest}: Address already in use", refused.refusal())
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(self.ingest)

    def test_the_file_is_gone_as_soon_as_the_listener_closes(self):
        daemon = self.start({**self.settings, "shutdown.idle_timeout": "10m", "shutdown.request_timeout": "10m"})
        connection = self.connect(daemon)
        self.assertEqual(connection.request("GET", "/healthz").status, 200)
        daemon.signal()
        daemon.log.wait_for("^stage closing")
        trackd.wait_until(lambda: not os.path.exists(self.ingest), "the file is removed")
        self.assertEqual(daemon.ask("/readyz").status, 503, "the admin listener stays")
        self.assertEqual(connection.request("POST", "/events", b'{"n":1}').status, 201)
        self.assertEqual(daemon.wait().delivered, 1)

    def test_healthcheck_asks_through_the_file(self):
        daemon = self.start(self.settings)
        asked = trackd.run("healthcheck", "--ready", *daemon.configuration())
        self.assertEqual((asked.returncode, asked.stdout), (0, "running\n"), asked.stderr)
        daemon.stop()
        self.assertEqual(trackd.run("healthcheck", *daemon.configuration()).returncode, 1)
