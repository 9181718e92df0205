"""nginx and HAProxy in front of the real binary, configured as docs/proxies.md says: whose each event is."""
import json
import random
import shutil
import socket
import subprocess
import unittest

from support import nginx, trackd
from support.raw_http import Connection

NGINX = nginx.configuration("""\
    access_log off;
    server {
        listen FRONT;
        location / {
            proxy_pass http://BACK;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
    }
""")

HAPROXY = """
defaults
    mode tcp
    timeout connect 90s
    timeout client 90s
    timeout server 90s
listen trackd
    bind FRONT
    server trackd BACK send-proxy-v2 check inter 50ms
"""


def free_address():
    """A port of a loopback address that nobody else is likely to choose at the same time."""
    host = "127.{}.{}.{}".format(*(random.randint(1, 250) for _ in range(3)))
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()


class RealProxies(trackd.TestCase):
    def start_behind(self, program, arguments, text, **settings):
        """A daemon and this proxy before it. Returns the daemon and the proxy's address."""
        if not shutil.which(program, path=nginx.PATH):
            self.skipTest(f"{program} is not there: scripts/test-clients installs it")
        daemon = self.start({"http.trusted_proxies": "127.0.0.1", "http.record_client": "full", **settings})
        place, front = self.empty_directory(), free_address()
        text = text.replace("FRONT", "{}:{}".format(*front)).replace("BACK", "{}:{}".format(*daemon.ingest))
        (place / "configuration").write_text(text)
        with open(place / "log", "wb") as log:
            proxy = subprocess.Popen(
                [shutil.which(program, path=nginx.PATH), *arguments, place / "configuration"],
                cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.kill)

        def answers():
            if proxy.poll() is not None:
                raise AssertionError(f"{program} ended:\n{(place / 'log').read_text()}")
            try:
                with Connection(front) as connection:
                    return connection.request("GET", "/healthz").status == 200
            except (OSError, AssertionError):  # it does not listen yet, or finds nobody behind it
                return False

        trackd.wait_until(answers, f"{program} answers")
        return daemon, front

    def post_from(self, front, source, **headers):
        with Connection(front, source=(source, 0)) as connection:
            for _ in range(2):
                self.assertEqual(connection.request("POST", "/events", b'{"n":1}', **headers).status, 201)

    def clients(self, daemon, count):
        return [json.loads(row["extensions"])["clientip"] for row in daemon.rows(count)]

    def test_nginx_names_clients_in_x_forwarded_for(self):
        daemon, front = self.start_behind("nginx", ["-p", ".", "-c"], NGINX)
        self.post_from(front, "127.0.0.5")
        self.post_from(front, "127.0.0.6", X_Forwarded_For="192.0.2.7")  # which anybody may claim
        self.assertEqual(self.clients(daemon, 4), ["127.0.0.5"] * 2 + ["127.0.0.6"] * 2)
        self.assertEqual(daemon.stop().delivered, 4)

    def test_haproxy_names_clients_in_the_proxy_protocol(self):
        daemon, front = self.start_behind("haproxy", ["-db", "-f"], HAPROXY, **{"http.proxy_protocol": "true"})
        self.post_from(front, "127.0.0.5")
        self.post_from(front, "127.0.0.6", X_Forwarded_For="192.0.2.7")
        self.assertEqual(self.clients(daemon, 4), ["127.0.0.5"] * 2 + ["127.0.0.6"] * 2)
        self.assertEqual(daemon.status()["http"]["proxy_failures"], 0, "the checks of HAProxy are no failures")
        self.assertEqual(daemon.stop().delivered, 4)


if __name__ == "__main__":
    unittest.main()
