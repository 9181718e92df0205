"""Who may send events: from an open daemon to one with keys, limits and a rotation while it runs."""
import base64
import re
import signal
import time

from support import trackd
from support.raw_http import request_bytes

SHOP = "https://shop.example"


def new_key(name):
    """What `trackd key new` gives: the key, and the block for the configuration."""
    done = trackd.run("key", "new", name)
    if done.returncode != 0:
        raise AssertionError(done)
    return re.search(r"\btrk_[\w-]{43}\b", done.stdout)[0], done.stdout[done.stdout.index("[[keys]]"):]


class KeysCase(trackd.TestCase):
    def start_with(self, *blocks, **settings):
        """A daemon whose configuration file has these keys."""
        return self.start({key.replace("__", "."): value for key, value in settings.items()}, file="\n".join(blocks))

    def reload(self, daemon, *blocks, says):
        """Writes another file, sends SIGHUP, and waits for what the log is to say of it."""
        seen = len(daemon.log.entries)
        daemon.file.write_text("\n".join(blocks))
        daemon.signal(signal.SIGHUP)
        trackd.wait_until(
            lambda: any(re.search(says, entry["message"]) for entry in daemon.log.entries[seen:]), says)
        return [entry["message"] for entry in daemon.log.entries[seen:]]

    def post(self, daemon, key=None, event=None, path="/events", **headers):
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return daemon.post({"n": 1} if event is None else event, path=path, **headers)


class Admission(KeysCase):
    def test_without_keys_everybody_may_send(self):
        daemon = self.start()
        self.assertEqual(self.post(daemon).status, 201)
        self.assertEqual(self.post(daemon, "trk_whatever").status, 201)
        self.assertIsNone(daemon.log.find("no keys are configured"), "it listens on loopback only")
        self.assertEqual(daemon.rows(2)[0]["source"], "trackd")
        self.assertEqual(daemon.stop().accepted, 2)

    def test_an_open_daemon_on_every_address_says_so(self):
        daemon = self.start({"http.listen": "0.0.0.0:0"})
        port = daemon.ingest[1]
        self.assertTrue(daemon.log.find(rf"^whoever reaches 0\.0\.0\.0:{port} may send events: no keys"))
        key, block = new_key("web")
        closed = self.start_with(block, http__listen="0.0.0.0:0")
        self.assertIsNone(closed.log.find("no keys are configured"))

    def test_with_keys_only_who_has_one(self):
        key, block = new_key("web")
        daemon = self.start_with(block)
        for wrong in (None, key[:-1], key + "x", "trk_"):
            answer = self.post(daemon, wrong)
            self.assertEqual(self.assert_problem(answer, 401, "key"), "unauthorized")
            self.assertEqual(answer.header("WWW-Authenticate"), 'Bearer realm="trackd"')
            self.assertTrue(answer.closes)
        self.assertEqual(self.post(daemon, key).status, 201)
        self.assertEqual(daemon.rows(1)[0]["source"], "web", "the key's name")
        for path in ("/healthz", "/readyz"):
            self.assertEqual(daemon.request("GET", path).status, 200, "health stays open")
        self.assertNotIn(key, daemon.log.tail(1000))
        self.assertEqual(daemon.stop().accepted, 1)

    def test_each_place_of_the_key(self):
        key, block = new_key("web")
        daemon = self.start_with(block)
        basic = base64.b64encode(f"{key}:".encode()).decode()
        for path, headers in (
            ("/events", {"Authorization": f"Bearer {key}"}),
            ("/events", {"Authorization": f"Basic {basic}"}),
            ("/events", {"X_Api_Key": key}),
            (f"/events?key={key}", {}),
            (f"/events/signup?a=b&writeKey={key}", {}),
            (f"/?access_token={key}", {}),
        ):
            with self.subTest(path=path, headers=headers):
                self.assertEqual(self.post(daemon, path=path, **headers).status, 201)
        self.assertEqual(daemon.stop().accepted, 6)

    def test_a_refusal_comes_before_the_body(self):
        key, block = new_key("web")
        daemon = self.start_with(block)
        head = request_bytes("POST", "/events", Content_Length="1000", Expect="100-continue")
        with daemon.connect() as connection:
            connection.send(head)
            answer = connection.response()
            self.assertEqual((answer.status, answer.interim), (401, []))
            self.assertTrue(answer.closes)
            self.assertTrue(connection.ended())

    def test_sources_and_origins(self):
        key, block = new_key("shop")
        daemon = self.start_with(block + f'sources = ["/shop"]\norigins = ["{SHOP}"]\n')
        refused = self.post(daemon, key, [{"data": 1, "source": "/shop"}, {"data": 2, "source": "/bank"}])
        self.assertEqual(self.assert_problem(refused, 403, "[1]", "/bank"), "source-not-allowed")
        refused = self.post(daemon, key, Origin="https://evil.example")
        self.assertEqual(self.assert_problem(refused, 403, "evil"), "origin-not-allowed")
        self.assertEqual(self.post(daemon, key, {"data": 1, "source": "/shop"}, Origin=SHOP).status, 201)
        self.assertEqual(self.post(daemon, key).status, 201)
        self.assertEqual({row["source"] for row in daemon.rows(2)}, {"/shop", "shop"})
        self.assertEqual(daemon.stop().accepted, 2)


class Rates(KeysCase):
    def refuse_then_accept(self, send):
        """Sends until it is too much, waits as long as the answer says, and not longer. Returns what was accepted."""
        accepted = 0
        while (answer := send()).status == 201:
            accepted += 1
        self.assertGreater(accepted, 0)
        self.assertEqual(self.assert_problem(answer, 429, "web"), "rate-limited")
        self.assertEqual(answer.header("Retry-After"), "1")
        self.assertEqual(answer.header("X-RateLimit-Reset"), "1")
        time.sleep(int(answer.header("Retry-After")))
        self.assertEqual(send().status, 201)
        return answer, accepted + 1

    def test_events(self):
        key, block = new_key("web")
        daemon = self.start_with(block + "events_per_second = 20\n")
        batch = [{"n": n} for n in range(20)]
        refused, accepted = self.refuse_then_accept(lambda: self.post(daemon, key, batch))
        self.assertFalse(refused.closes)
        self.assertEqual(daemon.stop().accepted, 20 * accepted, "all of a request or nothing of it")

    def test_bytes(self):
        key, block = new_key("web")
        daemon = self.start_with(block + "bytes_per_second = 10000\n")
        event = {"text": "x" * 9000}
        refused, accepted = self.refuse_then_accept(lambda: self.post(daemon, key, event))
        self.assertTrue(refused.closes, "the body was not read")
        self.assertEqual(daemon.stop().accepted, accepted)

    def test_one_key_does_not_use_up_anothers_rate(self):
        (first, one), (second, two) = new_key("first"), new_key("second")
        daemon = self.start_with(one + "events_per_second = 1\n", two + "events_per_second = 1\n")
        self.assertEqual(self.post(daemon, first, [{}] * 60).status, 201)
        self.assertIn(int(self.post(daemon, first).header("Retry-After")), range(10, 61))
        self.assertEqual(self.post(daemon, second).status, 201)
        self.assertEqual(daemon.stop().accepted, 61)


class Reload(KeysCase):
    def test_a_rotation_while_it_runs(self):
        (old, old_block), (new, new_block) = new_key("old"), new_key("new")
        daemon = self.start_with(old_block)
        with daemon.connect() as connection:
            def post(key):
                body = b'{"n":1}'
                return connection.request("POST", "/events", body, Authorization=f"Bearer {key}").status
            self.assertEqual(post(old), 201)
            self.reload(daemon, old_block, new_block, says="^SIGHUP: the keys have changed, 2 in force")
            self.assertEqual((post(old), post(new)), (201, 201), "on the connection that was open")
            said = self.reload(daemon, new_block, says="^SIGHUP: the keys have changed, 1 in force")
            self.assertIn("SIGHUP: key old: removed", said)
            self.assertEqual((post(new), post(old)), (201, 401), "on the connection that was open")
        self.assertEqual(daemon.stop().accepted, 4)

    def test_a_bad_configuration_is_refused_and_the_keys_stay(self):
        key, block = new_key("web")
        daemon = self.start_with(block)
        said = self.reload(daemon, block.replace('sha256 = "', 'sha256 = "x'), says="^SIGHUP: the configuration is refused")
        self.assertTrue(any(re.search(r"trackd\.toml:3:\d+: keys\.web\.sha256", line) for line in said), said)
        self.assertEqual(self.post(daemon, key).status, 201)
        self.assertEqual(self.post(daemon).status, 401)
        said = self.reload(daemon, "[[keys", says="^SIGHUP: the configuration is refused")
        self.assertTrue(any("trackd.toml:1:" in line for line in said), said)
        self.assertEqual(self.post(daemon, key).status, 201)
        daemon.file.unlink()
        daemon.signal(signal.SIGHUP)
        daemon.log.wait_for(r"^SIGHUP: .*trackd\.toml: cannot be read")
        self.assertEqual(self.post(daemon, key).status, 201)
        self.assertEqual(daemon.stop().accepted, 3)

    def test_rates_of_a_key_that_stays_go_on(self):
        key, block = new_key("web")
        second, second_block = new_key("second")
        limited = block + "events_per_second = 1\n"
        daemon = self.start_with(limited)
        self.assertEqual(self.post(daemon, key, [{}] * 600).status, 201)
        self.reload(daemon, limited, second_block, says="^SIGHUP: key second: added")
        self.assertEqual(self.post(daemon, key).status, 429)
        self.assertEqual(self.post(daemon, second).status, 201)
        self.assertEqual(daemon.stop().accepted, 601)

    def test_the_first_and_the_last_key(self):
        key, block = new_key("web")
        daemon = self.start_with("")
        self.assertEqual(self.post(daemon).status, 201)
        self.reload(daemon, block, says="^SIGHUP: the keys have changed, 1 in force")
        self.assertEqual(self.post(daemon).status, 401)
        self.reload(daemon, "", says="^SIGHUP: keys: found none, expected some")
        self.reload(daemon, "keys = []", says="^SIGHUP: the keys have changed, 0 in force")
        self.assertEqual(self.post(daemon).status, 201)
        self.assertEqual(daemon.stop().accepted, 2)

    def test_what_else_has_changed_needs_a_restart(self):
        key, block = new_key("web")
        daemon = self.start_with(block)
        said = self.reload(daemon, '[tracker]\nack_timeout = "7s"\n', says="^SIGHUP: the configuration is refused")
        self.assertIn("SIGHUP: tracker.ack_timeout: has changed, expected what it was: it needs a restart", said)
        self.assertIsNone(daemon.log.find("^SIGHUP: key "))
        self.assertEqual(self.post(daemon, key).status, 201, "the key is still there")
        self.assertEqual(self.post(daemon).status, 401)
        self.assertEqual(daemon.stop().accepted, 1)


class Browsers(KeysCase):
    def assert_readable(self, answer):
        self.assertEqual(answer.header("Access-Control-Allow-Origin"), SHOP, answer)
        self.assertEqual(answer.header("Access-Control-Allow-Credentials"), "true")
        self.assertIn("Retry-After", answer.header("Access-Control-Expose-Headers"))
        self.assertEqual(answer.header("Vary"), "Origin")

    def test_a_script_sends_an_event(self):
        key, block = new_key("web")
        daemon = self.start_with(block + "events_per_second = 1\n")
        preflight = daemon.request("OPTIONS", "/events", Origin=SHOP, Access_Control_Request_Method="POST",
                                   Access_Control_Request_Headers="authorization,content-type")
        self.assertEqual(preflight.status, 204)
        self.assert_readable(preflight)
        self.assertIn("POST", preflight.header("Access-Control-Allow-Methods"))
        self.assertEqual(preflight.header("Access-Control-Allow-Headers"), "authorization,content-type")
        self.assertTrue(int(preflight.header("Access-Control-Max-Age")) > 0)
        for wanted, answer in (
            (201, self.post(daemon, key, [{}] * 60, Origin=SHOP)),
            (429, self.post(daemon, key, Origin=SHOP)),
            (401, self.post(daemon, Origin=SHOP)),
            (404, daemon.request("GET", "/nowhere", Origin=SHOP)),
            (405, daemon.request("GET", "/events", Origin=SHOP)),
            (413, daemon.request("POST", "/events", Origin=SHOP, Content_Length="99999999999")),
            (417, daemon.request("POST", "/events", Origin=SHOP, Expect="a-miracle")),
        ):
            self.assertEqual(answer.status, wanted, answer)
            self.assert_readable(answer)
        self.assertIsNone(self.post(daemon, key).header("Vary"), "who is no browser hears nothing of it")
        with trackd.Connection(daemon.admin) as admin:
            self.assertIsNone(admin.request("GET", "/status", Origin=SHOP).header("Access-Control-Allow-Origin"))
        self.assertEqual(daemon.stop().accepted, 60)

    def test_which_pages_may_read(self):
        for setting, readable in ((f'["{SHOP}"]', True), ("https://other.example", False), ("[]", False)):
            with self.subTest(setting=setting):
                daemon = self.start({"http.cors_origins": setting})
                answer = self.post(daemon, Origin=SHOP)
                self.assertEqual(answer.status, 201)
                self.assertEqual(answer.header("Access-Control-Allow-Origin"), SHOP if readable else None)
                self.assertEqual(daemon.stop().accepted, 1)


class KeyCommand(trackd.TestCase):
    def test_it_needs_a_name_that_can_be_one(self):
        for arguments in (["key"], ["key", "new"], ["key", "new", "a b"], ["key", "new", "x" * 65]):
            done = trackd.run(*arguments)
            self.assertEqual(done.returncode, 2, done)
            self.assertEqual(done.stdout, "")
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_its_block_is_a_configuration_as_it_stands(self):
        key, block = new_key("my-web_2")
        place = self.empty_directory() / "trackd.toml"
        place.write_text(block)
        shown = trackd.run("config", "--config", place)
        self.assertEqual(shown.returncode, 0, shown)
        self.assertIn(block.strip(), shown.stdout)
        self.assertNotEqual(new_key("my-web_2")[0], key)


class AnalyticsClients(KeysCase):
    """Clients of Segment and RudderStack put their key wherever they please."""

    CALL = {"userId": "u", "event": "Paid"}

    def setUp(self):
        self.key, block = new_key("web")
        self.daemon = self.start_with(block)

    def basic(self, key):
        return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}

    def test_the_key_may_be_a_user_name_or_in_the_query(self):
        self.assertEqual(self.daemon.post(self.CALL, path="/v1/track", **self.basic(self.key)).status, 200)
        self.assertEqual(self.daemon.post(self.CALL, path=f"/v1/track?writeKey={self.key}").status, 200)
        self.assertEqual({row["source"] for row in self.daemon.rows(2)}, {"web"})

    def test_the_key_may_be_in_the_body(self):
        batch = {"writeKey": self.key, "batch": [{**self.CALL, "type": "track", "messageId": f"m-{n}"} for n in range(3)]}
        self.assertEqual(self.daemon.post(batch, path="/v1/batch").status, 200)
        rows = self.daemon.rows(3)
        self.assertEqual({row["id"] for row in rows}, {"m-0", "m-1", "m-2"})
        self.assertEqual({row["source"] for row in rows}, {"web"})

    def test_a_token_of_oauth_may_stand_beside_the_key_in_the_body(self):
        oauth = {"Authorization": "Bearer of.some.service"}
        answer = self.daemon.post({**self.CALL, "writeKey": self.key}, path="/v1/track", **oauth)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.daemon.post(self.CALL, path="/v1/track", **oauth).status, 401)
        self.assertEqual(self.daemon.post({"n": 1}, **oauth).status, 401, "our own paths want a key in the head")
        self.assertEqual({row["source"] for row in self.daemon.rows(1)}, {"web"})

    def test_a_wrong_key_is_told_in_words_that_every_client_reads(self):
        wrong = {**self.CALL, "writeKey": "another"}
        for event, headers in ((self.CALL, {}), (wrong, {}), (self.CALL, self.basic("another"))):
            answer = self.daemon.post(event, path="/v1/track", **headers)
            self.assertEqual(answer.status, 401, answer)
            self.assertEqual(answer.header("content-type"), "application/json")
            self.assertLessEqual({"success": False, "code": "unauthorized"}.items(), answer.json().items())
            self.assertIn("message", answer.json())
        self.assertEqual(self.daemon.stop().accepted, 0)

    def test_who_is_not_known_yet_may_not_send_much(self):
        long = {**self.CALL, "writeKey": self.key, "properties": {"text": "x" * (513 << 10)}}
        answer = self.daemon.post(long, path="/v1/track")
        self.assertEqual((answer.status, answer.json()["code"]), (400, "payload_too_large"))
        self.assertTrue(answer.closes, "the body was not read")
        self.assertEqual(self.daemon.post(long, path="/v1/track", **self.basic(self.key)).status, 200)
        self.assertEqual(self.daemon.stop().accepted, 1)

    def test_a_webhook_needs_a_key_too(self):
        answer = self.daemon.post({"n": 1}, path="/v1/webhook")
        self.assertEqual((answer.status, answer.body), (401, b"invalid write key\n"))
        self.assertEqual(self.daemon.post({"n": 1}, path=f"/v1/webhook?writeKey={self.key}").body, b"ok")
        answer = self.daemon.request("GET", f"/v1/webhook?writeKey={self.key}&n=1")
        self.assertEqual(answer.body, b"ok")
        self.assertEqual({(row["source"], row["type"]) for row in self.daemon.rows(2)}, {("web", "webhook")})
        self.assertEqual({row["data"] for row in self.daemon.rows(2)}, {'{"n":1}', '{"n":"1"}'})

    def test_a_pixel_is_shown_to_everybody_and_counts_for_who_has_a_key(self):
        for path in ("/pixel.gif?type=seen&key=", "/v1/pixel/track?userId=u&event=seen&writeKey="):
            for key in ("another", "", self.key):
                answer = self.daemon.request("GET", path + key)
                self.assertEqual((answer.status, answer.header("content-type")), (200, "image/gif"), path + key)
        self.assertEqual(self.daemon.stop().accepted, 2)

    def test_the_rate_holds_for_them_too(self):
        key, block = new_key("slow")
        daemon = self.start_with(block + "events_per_second = 2\n")
        batch = {"batch": [{**self.CALL, "type": "track"}] * 2}
        self.assertEqual(daemon.post(batch, path="/v1/batch", **self.basic(key)).status, 200)
        answer = daemon.post(batch, path="/v1/batch", **self.basic(key))
        self.assertEqual((answer.status, answer.json()["code"]), (429, "rate_limited"))
        self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        self.assertEqual(answer.header("x-ratelimit-reset"), answer.header("retry-after"))
        self.assertEqual(daemon.stop().accepted, 2)
