"""TLS on the listeners: requests, what is no TLS, certificates that change, the end."""
import shutil
import signal
import socket
import ssl
import subprocess

from support import tls, trackd
from support.load import Ledger
from support.raw_http import Connection, request_bytes


class Tls(trackd.TestCase):
    def setUp(self):
        super().setUp()
        self.place = self.empty_directory()
        self.certificate, self.key = tls.certificate(self.place)
        self.settings = {"http.tls.certificate": self.certificate, "http.tls.key": self.key}

    def connect_plain(self, daemon):
        connection = Connection(daemon.ingest)
        self.addCleanup(connection.close)
        return connection

    def figures(self, daemon):
        http = daemon.status()["http"]
        return http["tls_handshakes"], http["tls_failures"]


class Requests(Tls):
    def test_events_come_in_and_connections_end_in_good_order(self):
        daemon = self.start(self.settings)
        self.assertTrue(daemon.log.find("ingest listening on .* with TLS$"))
        with daemon.connect() as connection:
            self.assertEqual(connection.socket.version(), "TLSv1.3")
            for number in range(100):
                self.assertEqual(connection.request("POST", "/events", f'{{"n":{number}}}').status, 201)
            self.assertEqual(connection.request("GET", "/healthz", Connection="close").status, 200)
            self.assertTrue(connection.ended(), "with a close_notify")
        self.assertEqual(self.figures(daemon), (1, 0))
        self.assertEqual(daemon.stop().delivered, 100)

    def test_a_client_that_says_goodbye_is_answered(self):
        daemon = self.start(self.settings)
        with daemon.connect() as connection:
            self.assertEqual(connection.request("GET", "/healthz").status, 200)
            connection.socket.unwrap()  # raises where the peer's close_notify does not come

    def test_tls_1_2_works_with_forward_secrecy_and_no_older_version_does(self):
        lenient = self.place / "openssl.cnf"  # what the system forbids shall not be what this test sees
        lenient.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
                           "[c]\nMinProtocol = None\nCipherString = DEFAULT@SECLEVEL=0\n")
        daemon = self.start(self.settings, environment={"OPENSSL_CONF": str(lenient)})
        context = tls.client(self.certificate, maximum_version=ssl.TLSVersion.TLSv1_2)
        with Connection(daemon.ingest, tls=context) as connection:
            self.assertEqual(connection.socket.version(), "TLSv1.2")
            self.assertRegex(connection.socket.cipher()[0], "^ECDHE-ECDSA-(AES|CHACHA20)")
            self.assertEqual(connection.request("GET", "/healthz").status, 200)
        hello = bytes.fromhex(  # TLS 1.1, two ciphers, no extensions
            "160301002f0100002b0302" + "11" * 32 + "00" + "0004" + "c009002f" + "0100" + "0000")
        with Connection(daemon.ingest) as old:
            old.send(hello)
            self.assertEqual(old.socket.recv(100), bytes.fromhex("1503020002" + "0246"), "fatal, protocol_version")
        trackd.wait_until(lambda: self.figures(daemon) == (1, 1), "it is counted")

    def test_alpn_is_http_1_1_or_nothing(self):
        daemon = self.start(self.settings)
        context = tls.client(self.certificate)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with Connection(daemon.ingest, tls=context) as connection:
            self.assertEqual(connection.socket.selected_alpn_protocol(), "http/1.1")
        context.set_alpn_protocols(["h2"])
        with self.assertRaises(ssl.SSLError):
            Connection(daemon.ingest, tls=context)

    def test_a_session_is_resumed(self):
        daemon = self.start(self.settings)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = tls.client(self.certificate, minimum_version=version, maximum_version=version)
            with Connection(daemon.ingest, tls=context) as first:
                first.request("GET", "/healthz")
                session = first.socket.session
            with Connection(daemon.ingest, tls=context, session=session) as second:
                self.assertTrue(second.socket.session_reused, version)
                self.assertEqual(second.request("GET", "/healthz").status, 200)

    def test_large_bodies_and_pipelines_that_nobody_reads(self):
        daemon = self.start(self.settings)
        with daemon.connect() as connection:
            body = b"x" * 1_000_000
            self.assertEqual(connection.request("POST", "/events", body, Content_Type="text/plain").status, 201)
            requests = 20_000
            connection.send_and_hear(request_bytes("GET", "/nowhere") * requests)
            for _ in range(requests):
                self.assertEqual(connection.response().status, 404)
        self.assertEqual(daemon.stop().delivered, 1)

    def test_many_small_records_and_requests_cut_anywhere(self):
        daemon = self.start(self.settings)
        data = request_bytes("POST", "/events", b'{"n":1}') * 3
        with daemon.connect() as connection:
            for at in range(len(data)):
                connection.send(data[at:at + 1])
            for _ in range(3):
                self.assertEqual(connection.response().status, 201)
        self.assertEqual(daemon.stop().delivered, 3)

    def test_a_request_that_lies_in_openssl_already_is_answered(self):
        daemon = self.start(self.settings)
        large, small = (request_bytes("POST", "/events", b"x" * size, Content_Type="text/plain") for size in (40_000, 1))
        with daemon.connect() as connection:
            for _ in range(10):
                connection.send(large[:-10])
                connection.send(large[-10:] + small)  # one record: its end is behind that of the large body
                self.assertEqual(connection.response().status, 201)
                self.assertEqual(connection.response().status, 201)
        self.assertEqual(daemon.stop().delivered, 20)

    def test_answers_that_move_while_one_of_them_waits_to_be_sent(self):
        path = str(self.place / "ingest.sock")  # whose buffer for sending does not grow
        daemon = self.start({**self.settings, "http.listen": f"unix:{path}"})
        events, key = 1500, "k" * 200  # for an answer that is larger than whatever the others have made room for
        post = request_bytes("POST", "/events", b"{}\n" * events, Content_Type="application/x-ndjson",
                             Prefer="return=representation", Idempotency_Key=key)
        get = request_bytes("GET", "/nowhere")
        last = get * 150 + post
        self.assertLess(len(last), 16384, "it comes as one record")
        # With one of these the buffer becomes full while the answers of the last record are written, of which the
        # one to the POST is still to come: it waits for the journal.
        for count, fill in enumerate(range(300, 1000, 50), 1):
            with self.subTest(fill=fill), daemon.connect() as connection:
                connection.send(get * fill)
                connection.send(last)
                trackd.wait_until(
                    lambda: daemon.status()["tracker"]["accepted"] == count * events or self.is_writing(daemon),
                    "all is read, or the buffer is full")
                for _ in range(fill + 150):
                    self.assertEqual(connection.response().status, 404)
                answer = connection.response()
                self.assertEqual(answer.status, 201)
                self.assertEqual(answer.json(), {"accepted": events, "ids": [f"{key}-{n}" for n in range(events)]})

    def is_writing(self, daemon):
        return any(one["state"] == "writing" for one in daemon.tasks()["connections"])

    def test_the_admin_listener_and_the_healthcheck(self):
        daemon = self.start({"admin.tls.certificate": self.certificate, "admin.tls.key": self.key})
        self.assertEqual(daemon.post({"n": 1}).status, 201)
        self.assertEqual(daemon.status()["http"]["tls_handshakes"], 1)
        settings = {**daemon.settings, "admin.listen": f"{daemon.admin[0]}:{daemon.admin[1]}"}
        arguments = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        asked = trackd.run("healthcheck", "--ready", *arguments)
        self.assertEqual((asked.returncode, asked.stdout), (0, "running\n"), asked.stderr)
        daemon.stop()


class NoTls(Tls):
    def test_plain_text_is_closed_and_counted_and_does_no_harm(self):
        daemon = self.start(self.settings)
        for data in (request_bytes("POST", "/events", b'{"n":1}'), b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 70_000,
                     b"x"):
            with self.subTest(data[:20]):
                handshakes, failures = self.figures(daemon)
                plain = self.connect_plain(daemon)
                plain.send_and_hear(data)
                plain.half_close()
                self.drain(plain)
                trackd.wait_until(lambda: self.figures(daemon) == (handshakes, failures + 1), "it is counted")
        self.assertTrue(daemon.log.find("a TLS handshake failed: .*http request"))
        self.assertFalse(daemon.log.find("ended by a failure of ours"))
        self.assertEqual(daemon.post({"n": 1}).status, 201)
        self.assertEqual(daemon.stop().delivered, 1)

    @staticmethod
    def drain(connection):
        """Whatever it says until it closes: an alert, or nothing."""
        try:
            while connection.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass

    def test_who_only_looks_whether_somebody_listens_is_not_counted(self):
        daemon = self.start(self.settings)
        self.connect_plain(daemon).close()
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 0, "it is gone")
        self.assertEqual(self.figures(daemon), (0, 0))

    def test_half_a_hello_is_closed_at_the_head_timeout(self):
        daemon = self.start({**self.settings, "http.head_timeout": "300ms"})
        halves = [self.connect_plain(daemon) for _ in range(3)]
        for half in halves:
            half.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 32)
        self.assertEqual(daemon.request("GET", "/healthz").status, 200, "others are served meanwhile")
        for half in halves:
            self.assertTrue(half.ended())
        trackd.wait_until(lambda: self.figures(daemon) == (1, 3), "they are counted")
        self.assertTrue(daemon.log.find("a TLS handshake failed: it was not complete in time"))

    def test_a_client_that_breaks_off_anywhere_does_no_harm(self):
        daemon = self.start(self.settings)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = tls.client(self.certificate).wrap_bio(incoming, outgoing, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        hello = outgoing.read()
        for length in range(1, len(hello), 7):
            connection = self.connect_plain(daemon)
            connection.send(hello[:length])
            connection.reset() if length % 2 else connection.close()
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 0, "all are gone")
        self.assertEqual(daemon.post({"n": 1}).status, 201)

    def test_rubbish_after_the_handshake_ends_that_connection_alone(self):
        daemon = self.start(self.settings)
        with daemon.connect() as connection, daemon.connect() as other:
            self.assertEqual(connection.request("GET", "/healthz").status, 200)
            with socket.socket(fileno=socket.dup(connection.socket.fileno())) as below:
                below.sendall(b"\x17\x03\x03\x00\x40" + b"x" * 64)
            with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                connection.socket.recv(100)
            self.assertEqual(other.request("POST", "/events", b'{"n":1}').status, 201)

    def test_a_silent_connection_is_closed(self):
        daemon = self.start({**self.settings, "http.idle_timeout": "300ms", "http.head_timeout": "300ms"})
        self.assertTrue(self.connect_plain(daemon).ended(), "before the handshake")
        with daemon.connect() as connection:
            self.assertTrue(connection.ended(), "after it, with a close_notify")
        with daemon.connect() as connection:
            connection.send(b"POST /ev")
            self.assert_problem(connection.response(), 408)
            self.assertTrue(connection.ended())


class Certificates(Tls):
    def replace(self, certificate, key):
        shutil.copyfile(certificate, self.certificate)
        shutil.copyfile(key, self.key)

    def test_sighup_reads_them_again_and_open_connections_keep_theirs(self):
        daemon = self.start(self.settings)
        old_context = daemon.tls
        kept = self.connect(daemon)
        old = kept.socket.getpeercert(True)
        self.assertEqual(kept.request("POST", "/events", b'{"n":1}').status, 201)
        new_pair = tls.certificate(self.place, "new")
        self.replace(*new_pair)
        with Connection(daemon.ingest, tls=old_context) as before:
            self.assertEqual(before.socket.getpeercert(True), old, "not before it is asked to")
        daemon.signal(signal.SIGHUP)
        daemon.log.wait_for("SIGHUP: the certificates were read again")
        with Connection(daemon.ingest, tls=tls.client(new_pair[0])) as after:
            self.assertNotEqual(after.socket.getpeercert(True), old)
            self.assertEqual(after.request("POST", "/events", b'{"n":1}').status, 201)
        self.assertEqual(kept.request("POST", "/events", b'{"n":1}').status, 201)
        self.assertEqual(daemon.stop().delivered, 3)

    def test_a_bad_pair_is_refused_and_the_old_one_stays(self):
        daemon = self.start(self.settings)
        _, other_key = tls.certificate(self.place, "other")
        shutil.copyfile(other_key, self.key)
        daemon.signal(signal.SIGHUP)
        said = daemon.log.wait_for("SIGHUP: (http.tls: .*)")[1]
        self.assertEqual(said, f"http.tls: {self.key}: is not the key of the certificate in {self.certificate}")
        daemon.log.wait_for("SIGHUP: the configuration is refused")
        self.assertEqual(daemon.post({"n": 1}).status, 201)
        self.assertEqual(daemon.stop().delivered, 1)

    def check(self, **files):
        settings = {**self.settings, **{f"http.tls.{name}": path for name, path in files.items()}}
        arguments = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        done = trackd.run("check", *arguments)
        return done.returncode, done.stdout + done.stderr

    def test_check_reads_both_files(self):
        self.assertEqual(self.check(), (0, "the configuration is good\n"))
        other, other_key = tls.certificate(self.place, "other")
        encrypted = self.place / "encrypted.key"
        subprocess.run(["openssl", "ec", "-in", self.key, "-aes128", "-passout", "pass:secret", "-out", encrypted],
                       check=True, capture_output=True)
        missing = self.place / "missing"
        for files, said in (
            ({"key": other_key}, f"http.tls: {other_key}: is not the key of the certificate in {self.certificate}"),
            ({"certificate": missing}, f"http.tls: {missing}: cannot be read: No such file or directory"),
            ({"key": missing}, f"http.tls: {missing}: cannot be read: No such file or directory"),
            ({"certificate": self.key}, f"http.tls: {self.key}: holds no certificate that can be used (no start line)"
                                        "; expected PEM"),
            ({"key": other}, f"http.tls: {other}: holds no private key that can be used"),
            ({"key": encrypted}, f"http.tls: {encrypted}: is encrypted; expected a key without a passphrase"),
            ({"key": ""}, "--set http.tls.certificate: found it without http.tls.key, expected both or neither"),
            ({"certificate": ""}, "--set http.tls.key: found it without http.tls.certificate, expected both or neither"),
        ):
            with self.subTest(said):
                status, text = self.check(**files)
                self.assertEqual(status, 2, text)
                self.assertIn(said, text)

    def test_a_bad_pair_stops_the_start(self):
        _, other_key = tls.certificate(self.place, "other")
        refused = self.start({**self.settings, "http.tls.key": other_key}, wait=False).refusal()
        self.assertIn("is not the key of the certificate", refused)


class End(Tls):
    def test_a_drain_under_load_loses_nothing(self):
        patient = {"shutdown.idle_timeout": "1m", "shutdown.request_timeout": "1m", "shutdown.drain_timeout": "1m"}
        for keep_alive in (True, False):
            with self.subTest(keep_alive=keep_alive):
                daemon = self.start({**self.settings, **patient})
                load = Ledger(daemon.ingest, connections=16, keep_alive=keep_alive, tls=daemon.tls).start()
                load.wait_for_created(300)
                summary = daemon.stop()
                load.wait()
                self.assertEqual(list(load.answers), [201], load.outcome())
                self.assertEqual(load.cut_off, [], "requests without an answer on a connection that was being served")
                self.assertEqual(sorted(daemon.ids()), sorted(load.created), load.outcome())
                self.assertEqual(summary[:6], ("SIGTERM", len(load.created), len(load.created), 0, 0, 0))

    def test_an_unfinished_handshake_does_not_hold_it_up(self):
        daemon = self.start({**self.settings, "shutdown.idle_timeout": "100ms", "http.head_timeout": "10m"})
        half = self.connect_plain(daemon)
        half.send(b"\x16\x03\x01")
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 1, "it is accepted")
        daemon.stop()
        self.assertTrue(half.ended())
