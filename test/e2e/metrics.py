"""/metrics: what it has is what docs/metrics.md says, its figures are those of /status and of the clients, and nobody can
make it grow."""
import collections
import hashlib
import json
import pathlib
import re
import resource
import subprocess

from support import trackd
from support.load import Ledger
from support.raw_http import Connection

TABLE_ROW = re.compile(r"\| `(\w+)` \| (counter|gauge|histogram) \| (.*?)\| (.+) \|")
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="([^"]*)"')
PARTS_OF_HISTOGRAMS = re.compile(r"_(bucket|sum|count)$")

Family = collections.namedtuple("Family", "type labels help")


def documented():
    """What docs/metrics.md says, by name."""
    rows = map(TABLE_ROW.fullmatch, (trackd.ROOT / "docs" / "metrics.md").read_text().splitlines())
    return {row[1]: Family(row[2], set(re.findall(r"`(\w+)`", row[3])), row[4]) for row in rows if row}


class Page:
    """One answer of /metrics."""

    def __init__(self, answer):
        assert answer.status == 200, answer
        self.content_type = answer.header("content-type")
        self.text = answer.body.decode()
        self.families, self.samples = {}, {}
        kinds, helps, labels = {}, {}, collections.defaultdict(set)
        for line in self.text.splitlines():
            if line.startswith("# HELP "):
                _, _, name, text = line.split(" ", 3)
                helps[name] = text
            elif line.startswith("# TYPE "):
                _, _, name, kinds[name] = line.split(" ")
            else:
                name, inside, value = SAMPLE.fullmatch(line).groups()
                found = dict(LABEL.findall(inside or ""))
                key = (name, tuple(sorted(found.items())))
                assert key not in self.samples, f"twice: {line}"
                self.samples[key] = float(value)
                family = name if name in kinds else PARTS_OF_HISTOGRAMS.sub("", name)
                labels[family] |= set(found) - ({"le"} if kinds[family] == "histogram" else set())
        self.families = {name: Family(kind, labels[name], helps[name]) for name, kind in kinds.items()}

    def value(self, name, **labels):
        return self.samples[name, tuple(sorted(labels.items()))]

    def all(self, name, **wanted):
        """The values of all samples with these labels, by the values of their other labels, in the order of these."""
        found = {}
        for (of, labels), value in self.samples.items():
            labels = dict(labels)
            if of == name and wanted.items() <= labels.items():
                found[tuple(text for label, text in labels.items() if label not in wanted)] = value
        return found

    def sum(self, name, **wanted):
        return sum(self.all(name, **wanted).values())


class Metrics(trackd.TestCase):
    def metrics(self, daemon):
        return Page(daemon.ask("/metrics"))

    def keys(self, count):
        """So many keys, by the names k-0 and so on; each one's text is its name."""
        tables = (f'{{name="k-{n}",sha256="{hashlib.sha256(f"k-{n}".encode()).hexdigest()}"}}' for n in range(count))
        return {"keys": f'[{",".join(tables)}]'}

    def test_everything_is_documented_and_everything_documented_is_there(self):
        daemon = self.start()
        self.metrics(daemon)  # so that there was a request
        page = self.metrics(daemon)
        self.assertEqual(page.content_type, "text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(page.families, documented())

    def test_without_a_journal_there_is_nothing_of_it(self):
        families = self.metrics(self.start(trackd.MEMORY)).families
        self.assertEqual(set(documented()) - set(families), {name for name in documented() if "_journal_" in name})

    def test_under_load_the_sums_are_those_of_the_clients_and_of_the_status(self):
        daemon = self.start({"http.threads": 3})
        load = Ledger(daemon.ingest, connections=30, requests=6000).start()
        before = 0
        for _ in range(20):  # while it runs
            accepted = self.metrics(daemon).sum("trackd_events_accepted_total")
            self.assertGreaterEqual(accepted, before)
            before = accepted
        load.wait()
        self.assertEqual(len(load.created), 6000, load.outcome())
        self.post_numbers(daemon, 1, 50, prefix="more")
        daemon.post("{")  # 400
        daemon.request("GET", "/nowhere")  # 404
        daemon.request("P(OST", "/events")  # 400, and it comes to no route
        daemon.wait_until_delivered()
        page, status = self.metrics(daemon), daemon.status()

        self.assertEqual(page.all("trackd_events_accepted_total"), {("native", "none"): 6050})
        self.assertEqual(status["tracker"]["accepted"], 6050)
        answers = page.all("trackd_http_requests_total")
        self.assertEqual({code: count for (code, route), count in answers.items() if route == "/events"},
                         {"201": 6001, "400": 1})
        self.assertEqual({code: count for (code, route), count in answers.items() if route == "none"},
                         {"404": 1, "400": 1})
        self.assertEqual(page.value("trackd_http_rejected_total", reason="malformed"), 1)
        self.assertEqual(page.value("trackd_requests_rejected_total", code="404", reason="not_found"), 1)
        self.assertEqual(page.sum("trackd_requests_rejected_total"), 3)
        self.assertEqual(status["http"]["rejected"], 3)
        # This status and the last page had not been answered yet.
        unseen = page.sum("trackd_http_rejected_total")  # by any handler
        self.assertEqual(sum(answers.values()), status["http"]["requests"] - 2 + unseen)
        self.assertEqual({limit: count for (limit,), count in page.all("trackd_limit_hits_total").items()},
                         status["limits"])
        self.compare_sinks(page, status)
        self.assertEqual(page.value("trackd_journal_bytes"), status["journal"]["bytes"])
        self.assertEqual(page.value("trackd_journal_max_bytes"), status["journal"]["max_bytes"])
        for histogram in ("trackd_journal_commit_seconds", "trackd_journal_commit_events"):
            self.assertEqual(page.value(f"{histogram}_count"), status["journal"]["commits"])
            self.assertEqual(page.value(f"{histogram}_bucket", le="+Inf"), status["journal"]["commits"])
        self.assertEqual(page.value("trackd_journal_commit_events_sum"), 6050)
        self.assertGreater(page.value("trackd_journal_commit_seconds_sum"), 0)
        self.assertLess(page.value("trackd_journal_commit_seconds_sum"), status["uptime_seconds"] + 1)

    def compare_sinks(self, page, status):
        for sink in status["sinks"]:
            for figure in ("delivered", "dead_lettered", "lost", "retries", "all_rejected", "filtered", "skipped", "damaged"):
                self.assertEqual(page.value(f"trackd_sink_{figure}_total", sink=sink["name"]), sink[figure], figure)
            self.assertEqual(page.value("trackd_sink_pending_events", sink=sink["name"]), sink["pending"])

    def test_what_waits_for_a_sink_shows(self):
        daemon = self.start()
        lock = daemon.lock_database()
        self.addCleanup(lock.close)
        self.post_numbers(daemon, 1, 7)
        trackd.wait_until(lambda: self.metrics(daemon).value("trackd_backlog_oldest_seconds") >= 1, "it is a second old")
        page = self.metrics(daemon)
        self.assertEqual(page.value("trackd_backlog_events"), 7)
        self.assertEqual(page.value("trackd_sink_pending_events", sink="sqlite"), 7)
        self.assertEqual(page.value("trackd_backlog_bytes"), page.sum("trackd_bytes_accepted_total"))
        self.assertGreaterEqual(page.value("trackd_sink_lag_seconds", sink="sqlite"), 1)
        lock.close()
        daemon.wait_until_delivered()
        page = self.metrics(daemon)
        for figure in ("events", "bytes", "oldest_seconds"):
            self.assertEqual(page.value(f"trackd_backlog_{figure}"), 0, figure)

    def test_events_are_counted_by_key_and_format(self):
        daemon = self.start(self.keys(2))
        self.assertEqual(daemon.post({"n": 1}, X_Api_Key="k-0").status, 201)
        self.assertEqual(daemon.post([{"data": 1}, {"data": 2}], X_Api_Key="k-1").status, 201)
        self.assertEqual(daemon.post({"userId": "u", "event": "e"}, "/v1/track", X_Api_Key="k-1").status, 200)
        self.assertEqual(daemon.post({"n": 1}, "/v1/webhook", X_Api_Key="k-1").status, 200)
        self.assertEqual(daemon.request("GET", "/pixel.gif?a=b&key=k-1").status, 200)
        self.assertEqual(daemon.request("GET", "/pixel.gif?a=b&key=wrong").status, 200)
        self.assertEqual(daemon.post({"n": 1}, X_Api_Key="wrong").status, 401)
        page = self.metrics(daemon)
        expected = {("native", "k-0"): 1, ("native", "k-1"): 2, ("segment", "k-1"): 1, ("webhook", "k-1"): 1,
                    ("pixel", "k-1"): 1, ("native", "none"): 0}
        self.assertEqual(page.all("trackd_events_accepted_total"), expected)
        size = page.all("trackd_bytes_accepted_total")
        self.assertEqual(set(size), set(expected))
        self.assertEqual(size["native", "none"], 0)
        self.assertLess(size["native", "k-0"], size["native", "k-1"])

    def test_clients_cannot_make_it_grow(self):
        daemon = self.start()
        with Connection(daemon.ingest) as connection:
            def round_of(prefix):
                for n in range(300):
                    connection.request("POST", f"/events/{prefix}-{n}", "{}", X_Api_Key=f"{prefix}-{n}")
                    connection.request("GET", f"/{prefix}-{n}")
                    connection.request(f"{prefix}{n}".upper(), "/events")
                    body = json.dumps([{"type": f"{prefix}-{n}-{m}", "source": f"{prefix}-{m}", "data": m}
                                       for m in range(30)])
                    self.assertEqual(connection.request("POST", "/events", body, Content_Type="application/json").status,
                                     201)
            round_of("a")
            self.metrics(daemon)
            names = set(self.metrics(daemon).samples)
            round_of("b")
            self.assertEqual(set(self.metrics(daemon).samples), names)

    def test_a_million_types_add_nothing(self):
        daemon = self.start({"sinks": '[{name="nobody",kind="null"}]'})
        self.post_numbers(daemon, 1, 1)
        self.metrics(daemon)
        names = set(self.metrics(daemon).samples)
        with Connection(daemon.ingest) as connection:
            for batch in range(100):
                body = "\n".join(f'{{"type":"type-{batch}-{n}","source":"s-{n}","data":1}}' for n in range(10_000))
                answer = connection.request("POST", "/events", body, Content_Type="application/x-ndjson")
                self.assertEqual(answer.status, 201, answer)
        page = self.metrics(daemon)
        self.assertEqual(page.sum("trackd_events_accepted_total"), 1_000_001)
        self.assertEqual(set(page.samples), names)

    def test_only_so_many_keys_are_told_apart(self):
        daemon = self.start(self.keys(203))
        with Connection(daemon.ingest) as connection:
            for n in range(203):
                answer = connection.request("POST", "/events", "{}", X_Api_Key=f"k-{n}")
                self.assertEqual(answer.status, 201, n)
        page = self.metrics(daemon)
        self.assertEqual(page.value("trackd_events_accepted_total", key="k-199", format="native"), 1)
        self.assertEqual(page.value("trackd_events_accepted_total", key="other", format="native"), 3)
        self.assertEqual(len(page.all("trackd_events_accepted_total")), 200 + 2)

    def test_the_process_is_this_one(self):
        daemon = self.start()
        page = self.metrics(daemon)
        fields = pathlib.Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()
        self.assertEqual(page.value("process_threads"), int(fields[17]))
        self.assertAlmostEqual(page.value("process_resident_memory_bytes"), daemon.resident_bytes(), delta=4 << 20)
        self.assertAlmostEqual(page.value("process_open_fds"), daemon.open_files(), delta=2)
        self.assertAlmostEqual(page.value("process_start_time_seconds"), daemon.directory.stat().st_ctime, delta=120)
        trackd.wait_until(lambda: self.metrics(daemon).value("process_cpu_seconds_total") > 0, "processor time is used")

    def test_where_proc_shows_only_processes_the_page_is_whole(self):
        """As in the unit file: ProcSubset=pid."""
        hide = ("unshare", "--mount", "sh", "-c", 'mount -t proc -o subset=pid proc /proc && exec "$@"', "sh")
        try:
            tried = subprocess.run([*hide, "test", "!", "-e", "/proc/stat"], capture_output=True, text=True)
        except FileNotFoundError:
            self.skipTest("unshare is not installed")
        if tried.returncode != 0:
            self.skipTest(f"no /proc can be mounted here that shows only processes: {tried.stderr.strip()}")
        daemon = self.start(wrapper=hide)
        started = self.metrics(daemon).value("process_start_time_seconds")
        self.assertAlmostEqual(started, daemon.directory.stat().st_ctime, delta=120)

    def test_without_a_descriptor_left_only_the_process_is_missing(self):
        daemon = self.start()
        with Connection(daemon.admin) as connection:
            whole = Page(connection.request("GET", "/metrics"))
            _, most = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (1, most))
            page = Page(connection.request("GET", "/metrics"))
        self.assertEqual(set(whole.families) - set(page.families),
                         {name for name in whole.families if name.startswith("process_")})

    def test_the_drain_shows_as_it_happens(self):
        daemon = self.start({"shutdown.drain_timeout": "30s"})
        self.assertEqual(self.metrics(daemon).all("trackd_stage")[("running",)], 1)
        lock = daemon.lock_database()
        self.addCleanup(lock.close)
        self.post_numbers(daemon, 1, 3)
        daemon.signal()
        daemon.log.wait_for("^stage draining")
        page = self.metrics(daemon)
        self.assertEqual({stage: on for (stage,), on in page.all("trackd_stage").items() if on}, {"draining": 1})
        lock.close()
        self.assertEqual(daemon.wait().accepted, 3)
