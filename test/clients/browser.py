"""A page in a real browser sends from another origin: with fetch, with sendBeacon, and with a pixel."""
import http.server
import json
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

from support import trackd

PAGE = pathlib.Path(__file__).resolve().parent / "page.html"


class PageServer(http.server.ThreadingHTTPServer):
    """Serves the page, and gets its report."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(200 if self.path.startswith("/page") else 404, PAGE.read_bytes())

        def do_POST(self):
            self.server.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(200, b"")

        def answer(self, status, body):
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.reports = queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()


@unittest.skipUnless(shutil.which("chromium"), "there is no chromium: scripts/test-clients installs it")
class Browser(trackd.TestCase):
    def open(self, url):
        profile = tempfile.mkdtemp(prefix="trackd-chromium-")
        self.addCleanup(shutil.rmtree, profile, ignore_errors=True)
        browser = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--no-first-run", f"--user-data-dir={profile}", url],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(browser.wait)
        self.addCleanup(browser.kill)

    def test_a_page_of_another_origin_sends_in_every_way_it_has(self):
        daemon = self.start()
        pages = PageServer()
        self.addCleanup(pages.server_close)
        self.addCleanup(pages.shutdown)
        address = "http://{}:{}".format(*daemon.ingest)
        self.open(f"http://127.0.0.1:{pages.server_port}/page?" + urllib.parse.urlencode({"trackd": address}))
        report = pages.reports.get(timeout=2 * trackd.PATIENCE)

        self.assertEqual(report["fetch"], [201, {"accepted": 1}], report)
        self.assertEqual(report["refused"], [400, "urn:trackd:problem:invalid-json"], "the page can read errors, too")
        self.assertTrue(report["beacon"])
        self.assertEqual(report["pixel"], [1, 1])
        rows = {row["type"]: row for row in daemon.rows(3)}
        self.assertEqual(rows["fetched"]["id"], "by-fetch")
        self.assertEqual(rows["beaconed"]["id"], "by-beacon")
        self.assertEqual(json.loads(rows["seen"]["data"])["page"], "/a?b=ü")


if __name__ == "__main__":
    unittest.main()
