"""The clients of the matrix: how each is started, and what it is known to do."""
import dataclasses
import functools
import http.server
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
SENDERS = HERE / "senders"
MODULES = HERE / "python_modules"
BUILT = HERE.parents[1] / "build" / "clients"
GO = BUILT / "cloudevents-go"
JAVA = BUILT / "java"
PATIENCE = 300  # Segment's library for Java waits half a minute before it repeats anything


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    version: str
    address: str  # how the address of trackd is given to it
    run: object  # called with the test case and the program's arguments; returns its last line
    installed: object
    batch: int = 10  # events a request
    calls: bool = True  # Segment's calls; else CloudEvents
    gives_up: frozenset = frozenset({"withdrawn key"})  # the troubles in which it gives one request up
    strict_batches: bool = False


def run_command(command, case, arguments, **environment):
    done = subprocess.run(
        [*map(str, command), *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, **environment})
    case.assertEqual(done.returncode, 0, done.stderr)
    return done.stdout.splitlines()[-1]


def command(*words, **environment):
    return functools.partial(run_command, words, **environment)


class Pages(http.server.ThreadingHTTPServer):
    """Serves the page that sends, and takes its report."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {".html": "text/html; charset=utf-8", ".mjs": "text/javascript"}

        def do_POST(self):
            self.server.reports.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), functools.partial(self.Handler, directory=SENDERS))
        self.reports = queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()


def run_browser(case, arguments):
    pages = Pages()
    profile = tempfile.mkdtemp(prefix="trackd-chromium-")
    query = "&".join(f"{name}={value}" for name, value in zip(("address", "key", "count", "batch", "odd"), arguments))
    browser = subprocess.Popen(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
         f"--user-data-dir={profile}", f"http://127.0.0.1:{pages.server_port}/browser.html?{query}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return pages.reports.get(timeout=PATIENCE)
    finally:
        browser.kill()
        browser.wait()
        pages.shutdown()
        pages.server_close()
        shutil.rmtree(profile, ignore_errors=True)


def node_version(name):
    return json.loads((HERE / "package.json").read_text())["dependencies"][name]


def version_in(path, pattern):
    return re.search(pattern, path.read_text())[1]


def has_node():
    return bool(shutil.which("node")) and (HERE / "node_modules").is_dir()


ANSWERS = frozenset({"withdrawn key", "429", "503, full journal", "503, not confirmed"})
NEVER_REPEATS = ANSWERS | {"restart", "SIGKILL"}

ROWS = (
    Row("Segment, Node.js", "@segment/analytics-node " + node_version("@segment/analytics-node"), "`host`",
        command("node", SENDERS / "segment_node.mjs"), has_node),
    Row("Segment, Python",
        "segment-analytics-python " + version_in(HERE / "requirements.txt", r"segment-analytics-python==(\S+)"),
        "`host`",
        command(sys.executable, SENDERS / "segment_python.py", PYTHONPATH=str(MODULES)), MODULES.is_dir),
    Row("Segment, Java",
        "com.segment.analytics.java:analytics "
        + version_in(SENDERS / "java" / "pom.xml", r"<artifactId>analytics</artifactId>\s*<version>([^<]+)"),
        "`endpoint(…)` of the builder",
        command("java", "-cp", f"{JAVA / 'classes'}:{JAVA / 'dependency'}/*", "SegmentJava"),
        lambda: bool(shutil.which("java")) and (JAVA / "classes" / "SegmentJava.class").exists()),
    Row("RudderStack, Node.js", "@rudderstack/rudder-sdk-node " + node_version("@rudderstack/rudder-sdk-node"), "`dataPlaneUrl`",
        command("node", SENDERS / "rudderstack_node.mjs"), has_node),
    Row("CloudEvents, JavaScript", "cloudevents " + node_version("cloudevents"), "its messages are sent by `fetch` to `/events`",
        command("node", SENDERS / "cloudevents_js.mjs"), has_node, batch=1, calls=False, gives_up=NEVER_REPEATS),
    Row("CloudEvents, Go", "github.com/cloudevents/sdk-go " + version_in(SENDERS / "go" / "go.mod", r"sdk-go/v2 (\S+)"),
        "`WithTarget`, with `/events` behind it",
        command(GO), GO.exists, batch=1, calls=False),
    Row("a page's `fetch`", "Debian's Chromium", "`/events?key=…`", run_browser, lambda: bool(shutil.which("chromium")), calls=False,
        gives_up=ANSWERS, strict_batches=True),  # Chromium itself repeats what a reset connection has left unanswered
)


def named(name):
    return next(row for row in ROWS if row.name == name)
