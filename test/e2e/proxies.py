"""Who sent it: the PROXY protocol, X-Forwarded-For, what is counted by address, and what events are told of their client.

The daemon trusts 127.0.0.1, where these tests connect from unless they say 127.0.0.2.
"""
import ipaddress
import json
import struct

from support import tls, trackd
from support.raw_http import Connection, request_bytes

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.1"
MARK = b"\r\n\r\n\0\r\nQUIT\n"


def version_1(client):
    return f"PROXY TCP4 {client} 127.0.0.1 4096 8080\r\n".encode()


def version_2(client, command=1, more=b""):
    address = ipaddress.ip_address(client)
    family = 0x11 if address.version == 4 else 0x21
    block = address.packed + bytes(len(address.packed)) + struct.pack("!HH", 4096, 8080) + more
    return MARK + struct.pack("!BBH", 0x20 | command, family, len(block)) + block


class Proxies(trackd.TestCase):
    trust = {"http.trusted_proxies": "127.0.0.1"}

    def begin(self, daemon, header=b"", source=None, speaks=None):
        """A connection that begins with these bytes."""
        address = daemon.ingest_addresses[0]
        connection = Connection(address, source=source and (source, 0))
        self.addCleanup(connection.close)
        connection.send(header)
        if speaks:
            connection.socket = tls.wrap(speaks, connection.socket)
        return connection

    def extensions(self, daemon, count):
        return [json.loads(row["extensions"] or "{}") for row in daemon.rows(count)]

    def clients(self, daemon, count):
        return [found.get("clientip") for found in self.extensions(daemon, count)]

    def post(self, connection, **headers):
        return connection.request("POST", "/events", b'{"n":1}', User_Agent=AGENT, **headers)

    def failures(self, daemon):
        return daemon.status()["http"]["proxy_failures"]


class ProxyProtocol(Proxies):
    settings = {**Proxies.trust, "http.proxy_protocol": "true", "http.record_client": "full"}

    def test_both_versions_name_the_client_of_all_requests(self):
        daemon = self.start(self.settings)
        clients = []
        for header, client in (
                (version_1("192.0.2.7"), "192.0.2.7"), (version_2("192.0.2.8"), "192.0.2.8"),
                (version_2("2001:db8::7", more=b"\x02\0\x01x"), "2001:db8::7"),
                (version_2("192.0.2.9", command=0), "127.0.0.1"), (b"PROXY UNKNOWN\r\n", "127.0.0.1")):
            connection = self.begin(daemon, header)
            for _ in range(2):
                self.assertEqual(self.post(connection).status, 201)
                clients.append(client)
        self.assertEqual(self.clients(daemon, len(clients)), clients)
        self.assertEqual(self.failures(daemon), 0)
        self.assertEqual(daemon.stop().delivered, len(clients))

    def test_it_may_come_in_pieces_and_together_with_the_request(self):
        daemon = self.start(self.settings)
        data = version_2("192.0.2.7") + request_bytes("POST", "/events", b'{"n":1}')
        whole = self.begin(daemon, data)
        self.assertEqual(whole.response().status, 201)
        pieces = self.begin(daemon)
        for at in range(len(data)):
            pieces.send(data[at:at + 1])
        self.assertEqual(pieces.response().status, 201)
        self.assertEqual(self.clients(daemon, 2), ["192.0.2.7"] * 2)

    def test_it_comes_before_tls(self):
        certificate, key = tls.certificate(self.empty_directory())
        daemon = self.start({**self.settings, "http.tls.certificate": certificate, "http.tls.key": key})
        for header in (version_1("192.0.2.7"), version_2("192.0.2.7")):
            connection = self.begin(daemon, header, speaks=daemon.tls)
            self.assertEqual(self.post(connection).status, 201)
        direct = self.begin(daemon, source="127.0.0.2", speaks=daemon.tls)
        self.assertEqual(self.post(direct).status, 201)
        self.assertEqual(self.clients(daemon, 3), ["192.0.2.7", "192.0.2.7", "127.0.0.2"])
        http = daemon.status()["http"]
        self.assertEqual((http["tls_handshakes"], http["tls_failures"], http["proxy_failures"]), (3, 0, 0))

    def test_a_proxy_that_does_not_send_it_is_closed_counted_and_named_in_the_log(self):
        daemon = self.start({**self.settings, "http.threads": 1})
        for number, data in enumerate((
                request_bytes("POST", "/events", b'{"n":1}'), b"PROXY TCP4 nobody\r\n", b"\x16\x03\x01\x02\0\x01",
                MARK + b"\x31\x11\0\x0c", version_1("192.0.2.7").replace(b"\r\n", b"\n")), 1):
            with self.subTest(data):
                self.assertTrue(self.begin(daemon, data).ended())
                self.assertEqual(self.failures(daemon), number)
        cut = self.begin(daemon, b"PROXY TCP4")
        cut.half_close()
        self.assertTrue(cut.ended())
        self.assertEqual(self.failures(daemon), 6)
        self.begin(daemon).close()  # only looks whether somebody listens
        said = daemon.log.wait_for(r"the trusted proxy 127\.0\.0\.1 is closed for want of a PROXY header: (.*)")
        self.assertIn(r'"POST /events HTTP/1.1\r\n', said[1])
        lines = [entry for entry in daemon.log.entries if "PROXY header" in entry["message"]]
        self.assertLess(len(lines), 6, "not one each")
        self.assertEqual(daemon.stop().accepted, 0)

    def test_a_proxy_that_says_nothing_is_closed_in_time(self):
        daemon = self.start({**self.settings, "http.head_timeout": "200ms"})
        self.assertTrue(self.begin(daemon).ended())
        self.assertTrue(self.begin(daemon, b"PROXY").ended())
        self.assertEqual(self.failures(daemon), 2)

    def test_a_proxy_that_has_said_nothing_does_not_hold_up_the_end(self):
        daemon = self.start({**self.settings, "http.head_timeout": "1d", "shutdown.idle_timeout": "0s"})
        waiting = [self.begin(daemon), self.begin(daemon, b"PROXY TCP4")]
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 2, "they are accepted")
        daemon.stop()
        for connection in waiting:
            self.assertTrue(connection.ended())
        self.assertFalse(daemon.log.find("PROXY header"), "it is no failure of theirs")

    def test_others_speak_plain_http_and_their_headers_are_none(self):
        daemon = self.start(self.settings)
        direct = self.begin(daemon, source="127.0.0.2")
        self.assertEqual(self.post(direct, X_Forwarded_For="192.0.2.9").status, 201)
        for header in (version_1("192.0.2.7"), version_2("192.0.2.7")):
            liar = self.begin(daemon, header + request_bytes("POST", "/events", b'{"n":1}'), source="127.0.0.2")
            self.assertEqual(liar.response().status, 400)
        self.assertEqual(self.clients(daemon, 1), ["127.0.0.2"])
        self.assertEqual(self.failures(daemon), 0)

    def test_connections_count_for_the_address_that_is_named(self):
        daemon = self.start({**self.settings, "http.max_connections_per_address": 2})
        held = [self.begin(daemon, version_1("192.0.2.7")) for _ in range(2)]
        for connection in held:
            self.assertEqual(self.post(connection).status, 201)
        third = self.begin(daemon, version_1("192.0.2.7"))
        self.assertTrue(third.ended(), "closed")
        self.assertEqual(daemon.status()["http"]["turned_away"], 1)
        daemon.log.wait_for("192.0.2.7, behind a proxy, has as much as one address may have")
        for _ in range(4):  # of the proxy's own, any number
            self.assertEqual(self.post(self.begin(daemon, b"PROXY UNKNOWN\r\n")).status, 201)
        self.assertEqual(self.post(self.begin(daemon, version_1("192.0.2.8"))).status, 201)
        held[0].close()
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 6, "its place is free")
        self.assertEqual(self.post(self.begin(daemon, version_1("192.0.2.7"))).status, 201)

    def test_a_configuration_without_proxies_is_refused(self):
        checked = trackd.run("check", "--set", "http.proxy_protocol=true")
        self.assertEqual(checked.returncode, 2)
        self.assertIn("there are no http.trusted_proxies", checked.stderr)
        checked = trackd.run("check", "--set", 'http.trusted_proxies=["10.0.0.1/8", "::1/x"]')
        self.assertEqual(checked.returncode, 2)
        self.assertIn('expected the network "10.0.0.0/8"', checked.stderr)
        self.assertIn('found "::1/x", expected an address or network', checked.stderr)


class ForwardedFor(Proxies):
    settings = {**Proxies.trust, "http.record_client": "full"}

    def test_a_trusted_proxy_is_believed_for_each_request(self):
        daemon = self.start({**self.settings, "http.trusted_proxies": '["127.0.0.1", "10.0.0.0/8"]'})
        connection = self.connect(daemon)
        for value, client in (
                ("192.0.2.7", "192.0.2.7"), ("6.6.6.6, 192.0.2.8, 10.1.2.3", "192.0.2.8"),
                ("[2001:db8::7]:80, 10.1.2.3:443", "2001:db8::7"), ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
                ("192.0.2.9, unknown, 10.0.0.1", "10.0.0.1"), ("unknown", "127.0.0.1")):
            with self.subTest(value):
                key = value.replace(" ", "")
                self.assertEqual(self.post(connection, X_Forwarded_For=value, Idempotency_Key=key).status, 201)
                daemon.wait_until_delivered()
                row, = daemon.query("SELECT extensions FROM events WHERE id = ?", key)
                self.assertEqual(json.loads(row["extensions"])["clientip"], client)

    def test_nobody_else_is(self):
        daemon = self.start(self.settings)
        direct = self.begin(daemon, source="127.0.0.2")
        self.assertEqual(self.post(direct, X_Forwarded_For="192.0.2.7").status, 201)
        self.assertEqual(self.clients(daemon, 1), ["127.0.0.2"])

    def test_a_proxy_at_a_socket_file(self):
        path = str(self.empty_directory() / "ingest.sock")
        for trusted, client in (("unix", "192.0.2.7"), ("127.0.0.1", None)):
            daemon = self.start({"http.listen": f"unix:{path}", "http.record_client": "full",
                                 "http.trusted_proxies": trusted})
            with Connection(path) as connection:
                self.assertEqual(self.post(connection, X_Forwarded_For="192.0.2.7").status, 201)
                self.assertEqual(self.post(connection).status, 201)
            found = self.extensions(daemon, 2)
            self.assertEqual([one.get("clientip") for one in found], [client, None])
            self.assertEqual([one["useragent"] for one in found], [AGENT] * 2)
            daemon.stop()

    def test_requests_count_for_the_address_while_they_are_served(self):
        daemon = self.start({**self.settings, "http.max_connections_per_address": 1, "tracker.ack": "delivered"})
        locked = daemon.lock_database()
        self.addCleanup(locked.close)
        slow = self.connect(daemon)
        slow.send(request_bytes("POST", "/events", b'{"n":1}', X_Forwarded_For="192.0.2.7"))
        trackd.wait_until(lambda: daemon.status()["tracker"]["accepted"] == 1, "it is being served")

        connection = self.connect(daemon)
        refused = self.post(connection, X_Forwarded_For="192.0.2.7")
        self.assertEqual(self.assert_problem(refused, 429, "Nothing was stored"), "too-many-requests")
        self.assertEqual((refused.header("retry-after"), refused.closes), ("1", False))
        other = connection.request("POST", "/events?dry_run=1", b'{"n":1}', X_Forwarded_For="192.0.2.8")
        self.assertEqual(other.status, 200, "on the same connection")
        self.assertEqual(daemon.status()["http"]["turned_away"], 1)

        locked.close()
        self.assertEqual(slow.response().status, 201)
        self.assertEqual(self.post(connection, X_Forwarded_For="192.0.2.7").status, 201)
        self.assertEqual(daemon.stop().delivered, 2)


class Recorded(Proxies):
    def test_events_of_all_formats_are_told(self):
        daemon = self.start({"http.record_client": "full"})
        with daemon.connect() as connection:
            def send(method, path, body=b"", **headers):
                self.assertIn(connection.request(method, path, body, User_Agent=AGENT, **headers).status, (200, 201))

            send("POST", "/events", b'{"plain":1}')
            send("POST", "/events", b'[{"data":1},{"data":2}]', Content_Type="application/json", Idempotency_Key="k")
            send("POST", "/events", b'{"specversion":"1.0","id":"a","source":"/s","type":"t","x":"y"}',
                 Content_Type="application/cloudevents+json")
            send("POST", "/events", b"opaque", Content_Type="text/plain", ce_specversion="1.0", ce_id="b",
                 ce_source="/s", ce_type="t")
            send("POST", "/v1/track", b'{"userId":"u","event":"e"}')
            send("POST", "/v1/batch", b'{"batch":[{"type":"page","userId":"u"}]}')
            send("GET", "/pixel.gif?a=b")
            send("POST", "/events?dry_run=1", b'{"plain":1}')
        expected = {"clientip": "127.0.0.1", "useragent": AGENT}
        found = self.extensions(daemon, 8)
        self.assertEqual([{name: one[name] for name in expected} for one in found], [expected] * 8)
        self.assertEqual(sum("x" in one for one in found), 1)
        self.assertEqual(daemon.stop().delivered, 8)

    def test_an_event_keeps_its_own(self):
        daemon = self.start({"http.record_client": "full"})
        event = {"specversion": "1.0", "id": "a", "source": "/s", "type": "t", "clientip": "mine", "useragent": "mine"}
        self.assertEqual(daemon.post(event, User_Agent=AGENT).status, 201)
        self.assertEqual(self.extensions(daemon, 1), [{"clientip": "mine", "useragent": "mine"}])

    def test_truncated_leaves_little(self):
        daemon = self.start({**self.trust, "http.record_client": "truncated"})
        with daemon.connect() as connection:
            for client in ("192.0.2.77", "2001:db8:1:2::3", "::ffff:192.0.2.77"):
                self.assertEqual(self.post(connection, X_Forwarded_For=client).status, 201)
        found = self.extensions(daemon, 3)
        self.assertEqual([one["clientip"] for one in found], ["192.0.2.0", "2001:db8:1::", "192.0.2.0"])
        self.assertEqual({one["useragent"] for one in found}, {"Mozilla/5 Chrome/130"})

    def test_none_is_the_default(self):
        daemon = self.start(self.trust)
        self.assertEqual(daemon.post({"n": 1}, User_Agent=AGENT, X_Forwarded_For="192.0.2.7").status, 201)
        self.assertEqual(self.extensions(daemon, 1), [{}])

    def test_a_user_agent_is_text_of_a_bounded_size(self):
        daemon = self.start({"http.record_client": "full"})
        with daemon.connect() as connection:
            for number, agent in enumerate((b"x" * 2000, b"\xff\xfe", "é".encode() * 600, b"tab\there")):
                head = f"POST /events HTTP/1.1\r\nHost: a\r\nIdempotency-Key: {number}\r\nContent-Length: 2\r\nUser-Agent: "
                connection.send(head.encode() + agent + b"\r\n\r\n{}")
                self.assertEqual(connection.response().status, 201)
        daemon.wait_until_delivered()
        rows = daemon.query("SELECT extensions FROM events ORDER BY id")
        agents = [json.loads(row["extensions"]).get("useragent") for row in rows]
        self.assertEqual(agents, ["x" * 512, None, "é" * 256, "tab here"])
