"""Sockets that a parent has opened, as systemd does: `systemd` and `systemd:NAME`."""
import os
import socket

from support import trackd
from support.activation import activate
from support.raw_http import Connection, request_bytes


class SocketActivation(trackd.TestCase):
    def listening(self):
        made = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(made.close)
        return made

    def activate(self, sockets, settings, **options):
        return activate(self.start, sockets, settings, **options)

    def test_a_passed_socket_is_served(self):
        ingest = self.listening()
        daemon = self.activate([ingest], {"http.listen": "systemd"})
        self.assertEqual(daemon.ingest, ingest.getsockname())
        self.assertEqual(daemon.post({"n": 1}).status, 201)
        self.assertEqual(daemon.stop().delivered, 1)

    def test_an_admin_socket_that_others_can_reach_needs_a_token(self):
        made = socket.create_server(("0.0.0.0", 0))
        self.addCleanup(made.close)
        refused = self.activate([made], {"admin.listen": "systemd"}, wait=False).refusal()
        self.assertIn(f"admin.listen: others than this machine can reach 0.0.0.0:{made.getsockname()[1]}", refused)
        daemon = self.activate([made], {"admin.listen": "systemd", "admin.token": "0123456789abcdef"})
        self.assertEqual(daemon.status()["stage"], "running")
        daemon.stop()

    def test_names_say_which_listener_gets_which(self):
        ingest, admin, other = self.listening(), self.listening(), self.listening()
        daemon = self.activate(
            [admin, ingest, other], {"http.listen": "systemd", "admin.listen": "systemd:admin"}, names="admin:a:b")
        self.assertEqual(daemon.admin, admin.getsockname())
        self.assertEqual(daemon.ingest_addresses, [ingest.getsockname(), other.getsockname()])
        for address in daemon.ingest_addresses:
            with Connection(address) as connection:
                self.assertEqual(connection.request("POST", "/events", b'{"n":1}').status, 201)
        self.assertEqual(daemon.stop().delivered, 2)

    def test_a_passed_file_is_served_and_left_to_its_owner(self):
        path = str(self.empty_directory() / "passed.sock")
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path)
            made.listen()
            daemon = self.activate([made], {"http.listen": "systemd:x"}, names="x")
            self.assertEqual(daemon.ingest, path)
            self.assertEqual(daemon.post({"n": 1}).status, 201)
            daemon.stop()
            self.assertTrue(os.path.exists(path))

    def test_who_connects_between_two_daemons_is_served_by_the_second(self):
        ingest = self.listening()
        self.activate([ingest], {"http.listen": "systemd"}).stop()
        with Connection(ingest.getsockname()) as waiting:
            waiting.send(request_bytes("POST", "/events", b'{"n":1}'))
            daemon = self.activate([ingest], {"http.listen": "systemd"})
            self.assertEqual(waiting.response().status, 201)
        self.assertEqual(daemon.stop().delivered, 1)

    def test_who_waits_in_the_queue_at_the_end_is_left_to_the_next(self):
        ingest = self.listening()
        first = self.activate([ingest], {"http.listen": "systemd", "http.max_connections": 1})
        held = self.connect(first)
        self.assertEqual(held.request("GET", "/healthz").status, 200)
        with Connection(ingest.getsockname()) as waiting:
            waiting.send(request_bytes("POST", "/events", b'{"n":1}'))
            first.signal()
            first.log.wait_for("^stage closing")
            held.close()
            self.assertEqual(first.wait().accepted, 0)
            second = self.activate([ingest], {"http.listen": "systemd"})
            self.assertEqual(waiting.response().status, 201)
        self.assertEqual(second.stop().accepted, 1)

    def test_the_descriptor_is_closed_on_exec(self):
        ingest = self.listening()
        daemon = self.activate([ingest], {"http.listen": "systemd"})
        with open(f"/proc/{daemon.pid}/fdinfo/3") as info:
            flags = info.read().split("flags:")[1].split()[0]
        self.assertTrue(int(flags, 8) & os.O_CLOEXEC)
        daemon.stop()

    def test_a_socket_that_nobody_takes_is_closed_and_named_in_the_log(self):
        ingest, other = self.listening(), self.listening()
        daemon = self.activate([ingest, other], {"http.listen": "systemd:ingest"}, names="ingest:other")
        self.assertTrue(daemon.log.find('no listener takes these passed sockets, which are closed: "other"'))
        daemon.stop()

    def test_what_is_missing_is_said(self):
        ingest = self.listening()
        for address, options, said in (
            ("systemd:other", {"names": "ingest"}, 'there is "ingest"'),
            ("systemd", {"pid": "1"}, "LISTEN_PID is 1, but this is process"),
            ("systemd", {"count": "x"}, 'LISTEN_FDS is "x"'),
        ):
            with self.subTest(said):
                refused = self.activate([ingest], {"http.listen": address}, wait=False, **options).refusal()
                self.assertIn(f"cannot listen on {address}: ", refused)
                self.assertIn(said, refused)
        self.assertIn("LISTEN_FDS is not set", self.start({"http.listen": "systemd"}, wait=False).refusal())

    def test_a_socket_that_does_not_listen_is_refused(self):
        with socket.socket() as unbound:
            refused = self.activate([unbound], {"http.listen": "systemd"}, wait=False).refusal()
        self.assertIn('the passed descriptor 3 ("unknown") does not listen', refused)

    def test_healthcheck_asks_where_the_daemon_says_that_it_listens(self):
        admin = self.listening()
        daemon = self.activate([admin], {"admin.listen": "systemd"})
        asked = trackd.run("healthcheck", *daemon.configuration())
        self.assertEqual(asked.returncode, 0, asked.stderr)
        (daemon.directory / "data" / "admin.json").unlink()
        asked = trackd.run("healthcheck", *daemon.configuration())
        self.assertEqual(asked.returncode, 1)
        self.assertIn('admin.listen is "systemd"', asked.stderr)
        self.assertIn("--admin ADDRESS", asked.stderr)
        host, port = admin.getsockname()
        told = trackd.run("healthcheck", *daemon.configuration(), "--set", f"admin.listen={host}:{port}")
        self.assertEqual(told.returncode, 0, told.stderr)
        daemon.stop()
