"""The admin listener: who may ask, what it shows, and the commands that ask it."""
import base64
import hashlib
import json
import re
import socket
import tomllib

from support import trackd
from support.raw_http import Connection

TOKEN = "0123456789abcdef-right"

# Everything but health, with the status that it has for who may ask.
RESOURCES = (
    ("GET", "/status", b"", 200), ("GET", "/debug/tasks", b"", 200), ("GET", "/debug/connections", b"", 200),
    ("GET", "/debug/rejections", b"", 200),
    ("GET", "/", b"", 200), ("GET", "/metrics", b"", 200),
    ("GET", "/events/tail?rate=0", b"", 400),  # what is admitted and well-formed has no end
    ("GET", "/debug/config", b"", 200), ("GET", "/debug/log-level", b"", 200),
    ("PUT", "/debug/log-level", b'{"level":"info"}', 200), ("POST", "/reload", b"", 200),
    ("POST", "/sinks/sqlite/pause", b"", 200), ("POST", "/sinks/sqlite/resume", b"", 200),
    ("POST", "/sinks/sqlite/retry", b"", 200), ("POST", "/sinks/sqlite/forget", b"", 409),
    ("POST", "/sinks/sqlite/skip", b'{"confirm":true}', 200),
    ("POST", "/dead-letters/sqlite/drop", b'{"all":true}', 200), ("POST", "/dead-letters/sqlite/retry", b'{"all":true}', 200),
)


class Token(trackd.TestCase):
    def setUp(self):
        self.daemon = self.start({"admin.token": TOKEN})

    def ask(self, method, path, body=b"", **headers):
        with Connection(self.daemon.admin) as connection:
            return connection.request(method, path, body, **headers)

    def test_nothing_but_health_without_the_right_one(self):
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.ask("GET", path).status, 200)
        basic = lambda text: "Basic " + base64.b64encode(text.encode()).decode()
        wrong = ({}, {"Authorization": "Bearer " + TOKEN[:-1]}, {"Authorization": f"Bearer {TOKEN}x"},
                 {"Authorization": "Bearer "}, {"Authorization": TOKEN}, {"Authorization": basic(f"x:{TOKEN}")},
                 {"X_Api_Key": TOKEN})
        right = ({"Authorization": f"Bearer {TOKEN}"}, {"Authorization": basic(f"{TOKEN}:")})
        for method, path, body, status in RESOURCES:
            with self.subTest(f"{method} {path}"):
                for headers in wrong:
                    answer = self.ask(method, path, body, **headers)
                    self.assertEqual(self.assert_problem(answer, 401, "admin.token"), "unauthorized")
                    self.assertIn("Bearer", answer.header("WWW-Authenticate"))
                for headers in right:
                    self.assertEqual(self.ask(method, path, body, **headers).status, status)
        self.assertEqual(self.ask("GET", f"/status?token={TOKEN}").status, 401)
        self.assertEqual(self.daemon.status()["configuration"]["generation"], 3, "those who may have reloaded it")
        self.assertNotIn(TOKEN, self.daemon.log.tail(1000))

    def test_the_commands_show_it(self):
        self.assertEqual(self.daemon.command("status").returncode, 0)
        self.assertEqual(self.daemon.command("reload").returncode, 0)
        missed = self.daemon.letters("drop", "sqlite", "e-1")
        self.assertEqual((missed.returncode, missed.stdout), (1, "0 dropped, 1 not there\n"))
        self.daemon.settings["admin.token"] = "0123456789abcdef-wrong"
        for command in (["status"], ["reload"], ["tail"]):
            done = self.daemon.command(*command)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("does not know this admin.token", done.stderr)

    def test_the_host_may_have_any_name(self):
        self.assertEqual(self.daemon.ask("/status", Host="trackd.example:8081").status, 200)


class Where(trackd.TestCase):
    def test_who_lets_others_reach_it_needs_a_token(self):
        said = self.start({"admin.listen": "0.0.0.0:0"}, wait=False).refusal()
        self.assertIn('admin.listen: found "0.0.0.0:0", which others than this machine can reach, and no admin.token', said)
        for arguments, status in ((["--set", "admin.listen=*:0"], 2),
                                  (["--set", "admin.listen=*:0", "--set", f"admin.token={TOKEN}"], 0)):
            self.assertEqual(trackd.run("check", *arguments).returncode, status)
        daemon = self.start({"admin.listen": "0.0.0.0:0", "admin.token": TOKEN})
        self.assertEqual(daemon.status()["stage"], "running")
        self.assertEqual(daemon.ask("/status", Authorization="").status, 401)
        daemon.stop()

    def test_one_address_leaves_room_for_others(self):
        daemon = self.start()
        held = [Connection(daemon.admin) for _ in range(25)]
        for connection in held:
            self.addCleanup(connection.close)
            self.assertEqual(connection.request("GET", "/healthz").status, 200)
        with Connection(daemon.admin) as one_too_many:
            self.assertTrue(one_too_many.ended())
        page = json.loads(held[0].request("GET", "/status").body)
        self.assertEqual((page["connections"]["admin"], page["http"]["turned_away"]), (25, 1))

    def test_it_cannot_be_taken_away_while_others_reach_it(self):
        daemon = self.start({"admin.listen": "0.0.0.0:0"}, file=f'[admin]\ntoken = "{TOKEN}"\n')
        authorization = {"Authorization": f"Bearer {TOKEN}"}
        daemon.file.write_text("")
        report = daemon.ask("/reload", "POST", **authorization).json()
        self.assertIn("no admin.token to know them by", report["wrong"][0])
        daemon.file.write_text('[admin]\ntoken = "0123456789abcdef-other"\n')
        self.assertEqual(daemon.ask("/reload", "POST", **authorization).json()["changed"], ["admin.token"])
        self.assertEqual(daemon.ask("/status", **authorization).status, 401)
        self.assertEqual(daemon.ask("/status", Authorization="Bearer 0123456789abcdef-other").status, 200)
        daemon.stop()


class OtherSites(trackd.TestCase):
    """Browsers are sent to this machine by pages of anybody's."""

    def setUp(self):
        self.daemon = self.start()

    def refuse(self, slug, **headers):
        for method, path, body, _ in RESOURCES:
            with self.subTest(f"{method} {path}", headers=headers):
                self.assertEqual(self.assert_problem(self.daemon.ask(path, method, body, **headers), 403), slug)
        self.assertEqual(self.daemon.status()["configuration"]["generation"], 1, "nothing was reloaded")

    def test_another_sites_page_is_refused_whatever_it_wants(self):
        here = f"localhost:{self.daemon.admin[1]}"
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1", "Host": here},
                        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):
            self.refuse("other-site", **headers)
        self.assertEqual(self.daemon.ask("/healthz", Origin="https://evil.example").status, 200)

    def test_so_is_one_whose_name_leads_here(self):
        for host in ("evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example:8081"):
            self.refuse("unknown-host", Host=host)
        self.refuse("unknown-host", Host="evil.example:8081", Origin="http://evil.example:8081")

    def test_a_link_on_another_site_may_be_followed_to_see_but_not_to_change_anything(self):
        link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
        self.assertEqual(self.daemon.ask("/status", **link).status, 200)
        self.assertEqual(self.daemon.ask("/reload", "POST", **link).status, 403)
        self.assertEqual(self.daemon.ask("/reload", "POST", **{**link, "Origin": "null"}).status, 403)

    def test_a_page_of_its_own_and_who_is_no_browser_may_ask(self):
        port = self.daemon.admin[1]
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "LOCALHOST", "192.0.2.1"):
            for headers in ({}, {"Origin": f"http://{host}"}, {"Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"},
                            {"Sec_Fetch_Site": "none"}):
                with self.subTest(host=host, headers=headers):
                    self.assertEqual(self.daemon.ask("/status", Host=host, **headers).status, 200)
        with Connection(self.daemon.admin) as old:
            old.send(b"GET /status HTTP/1.0\r\n\r\n")
            self.assertEqual(old.response("GET").status, 200, "HTTP/1.0 without a host")


class Pages(trackd.TestCase):
    def test_the_configuration_has_none_of_the_secrets(self):
        key = hashlib.sha256(b"trk_secret").hexdigest()
        daemon = self.start({"admin.token": TOKEN}, file=f'''
            [[keys]]
            name = "web"
            sha256 = "{key}"
            [[sinks]]
            name = "sqlite"
            kind = "sqlite"
            types = "order.*"
            [[sinks]]
            name = "hook"
            kind = "http"
            required = false
            url = "http://127.0.0.1:9/hush1?token=hush2"
            headers = ["Authorization: Bearer hush3"]
            ''')
        answer = daemon.ask("/debug/config")
        self.assertEqual((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"))
        text = answer.body.decode()
        for secret in (TOKEN, key, "hush"):
            self.assertNotIn(secret, text)
        shown = tomllib.loads(text)
        self.assertEqual(shown["admin"]["token"], "********")
        self.assertEqual(shown["keys"][0], {
            "name": "web", "sha256": "********", "sources": [], "origins": [], "events_per_second": 0, "bytes_per_second": 0})
        self.assertEqual([sink["url"] for sink in shown["sinks"] if sink["kind"] == "http"], ["********"])
        self.assertEqual(shown["sinks"][0]["types"], "order.*")
        self.assertEqual(shown["data_dir"], daemon.settings["data_dir"])

    def test_connections(self):
        daemon = self.start()
        with daemon.connect() as connection:
            for _ in range(3):
                self.assertEqual(connection.request("POST", "/events", b"{}").status, 201)
            page = daemon.ask("/debug/connections").json()
            self.assertEqual(page["open"], {"ingest": 1, "admin": 1})
            ingest, admin = (next(one for one in page["connections"] if one["listener"] == which) for which in ("ingest", "admin"))
            self.assertEqual(ingest["peer"], "%s:%d" % connection.socket.getsockname())
            self.assertEqual((ingest["state"], ingest["requests"], ingest["tls"]), ("idle", 3, False))
            self.assertGreater(ingest["bytes_received"], 3 * 40)
            self.assertGreater(ingest["bytes_sent"], 3 * 40)
            self.assertEqual((admin["state"], admin["requests"]), ("handling", 0))
        daemon.stop()

    def test_connections_are_bounded_in_number(self):
        daemon = self.start({"http.threads": 1})
        connections = [socket.create_connection(daemon.ingest) for _ in range(1100)]
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 1100, "all are open")
        page = daemon.ask("/debug/connections").json()
        self.assertEqual(page["open"]["ingest"], 1100)
        shown = [one for one in page["connections"] if one["listener"] == "ingest"]
        self.assertEqual(len(shown), 1000)
        for connection in connections:
            connection.close()
        daemon.stop()


class Status(trackd.TestCase):
    def test_for_people_and_for_programs(self):
        daemon = self.start()
        self.assertEqual(daemon.post([{}, {}]).status, 201)
        daemon.wait_until_delivered()
        done = daemon.command("status")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^trackd \d+\.\d+\.\d+  running for \d+s$")
        self.assertRegex(done.stdout, r"\nconfiguration  1, since \d{4}-")
        self.assertRegex(done.stdout, r"\nevents         2 accepted, 0 refused, 0 wait in memory\n")
        self.assertRegex(done.stdout, r"\njournal        good, ")
        self.assertTrue(any(re.match(r"sqlite +sqlite +2 +0 ", line) and line.endswith("works") for line in lines), done.stdout)
        told = daemon.command("status", "--json")
        self.assertEqual(told.returncode, 0)
        self.assertEqual(json.loads(told.stdout)["tracker"]["accepted"], 2)
        daemon.stop()
