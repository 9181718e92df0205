"""Log shippers, configured by docs/log-shippers.md itself: every line is stored once, over restarts of trackd.

syslog-ng and collectd are Debian packages. Debian has neither Fluent Bit nor the OpenTelemetry Collector: their tests run where
FLUENT_BIT and OTELCOL in the environment name the programs, or where they are on the PATH, and are skipped elsewhere.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import time
import tomllib
import unittest

from support import trackd
from support.cut_proxy import CutProxy
from support.http_target import HttpTarget, unpacked
from support.ports import free_port

PAGE = trackd.ROOT / "docs" / "log-shippers.md"
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
LINES = 400

# What the page's configuration has, and what a test has instead: {directory}, {port} and {key} are the test's.
Shipper = collections.namedtuple("Shipper", "heading variable program file arguments replacements line_member")
ADDRESS = {"127.0.0.1:8080": "127.0.0.1:{port}", "trk_KEY": "{key}"}
SYSLOG_NG = Shipper(
    "syslog-ng", "SYSLOG_NG", "syslog-ng", "syslog-ng.conf",
    ["-F", "-e", "--no-caps", "-f", "{directory}/syslog-ng.conf", "-R", "{directory}/persist", "-c", "{directory}/ctl",
     "-p", "{directory}/pid"],
    {**ADDRESS, "/var/log/app.log": "{directory}/app.log", "/var/lib/syslog-ng": "{directory}"}, "message")
FLUENT_BIT = Shipper(
    "Fluent Bit", "FLUENT_BIT", "fluent-bit", "fluent-bit.yaml", ["-c", "{directory}/fluent-bit.yaml"],
    {"host: 127.0.0.1": "host: 127.0.0.1", "port: 8080": "port: {port}", "trk_KEY": "{key}",
     "/var/log/app.log": "{directory}/app.log", "/var/lib/fluent-bit": "{directory}"}, "log")
COLLECTD = Shipper(
    "collectd", "COLLECTD", "collectd", "collectd.conf",
    ["-f", "-C", "{directory}/collectd.conf", "-P", "{directory}/pid"], ADDRESS, None)
COLLECTOR = Shipper(
    "OpenTelemetry Collector", "OTELCOL", "otelcol-contrib", "otelcol.yaml", ["--config", "{directory}/otelcol.yaml"],
    {**ADDRESS, "/var/log/app.log": "{directory}/app.log", "/var/lib/otelcol": "{directory}"}, None)
# No port of its own for metrics.
QUIET_COLLECTOR = [("service:\n", "service:\n  telemetry: {{metrics: {{level: none}}}}\n")]


def section(heading):
    """The text of the page below this heading."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))[heading]


def block(heading, language):
    """The first block of code in this language below this heading."""
    return re.search(rf"^```{language}\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)[1]


def actions(heading):
    """What the table of the page says that this program does after each status: {"503": "retries", ...}."""
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in section("After each answer").splitlines()
            if row.startswith("|")]
    column = rows[0].index(heading)
    return {status.strip(): row[column] for row in rows[2:] for status in row[0].split(",")}


class LogShippers(trackd.TestCase):
    def setUp(self):
        self.process_of = {}  # by directory

    def program(self, shipper):
        """The path of the program; the test is skipped where it is not installed."""
        found = os.environ.get(shipper.variable) or shutil.which(shipper.program, path=PATH)
        if not found:
            self.skipTest(f"{shipper.program} is not installed; {shipper.variable} may name it")
        return found

    def start_with_key(self):
        """A daemon with a key, whose port stays over restarts, and with the limits that the page asks for."""
        done = trackd.run("key", "new", "host-1")
        self.assertEqual(done.returncode, 0, done)
        self.key = next(word for word in done.stdout.split() if word.startswith("trk_"))
        limits = tomllib.loads(block("trackd", "toml"))["http"]
        return self.start({"http.listen": f"127.0.0.1:{free_port()}", **{f"http.{key}": limits[key] for key in limits}},
                          file=done.stdout[done.stdout.index("[[keys]]"):])

    def restart_with_key(self, daemon):
        return self.restart(daemon, file=daemon.file.read_text())

    def run_shipper(self, shipper, port, key, directory, changes=()):
        """Runs the program with the configuration of the page. Returns the process; it ends with the test."""
        program = self.program(shipper)
        values = {"directory": directory, "port": port, "key": key}
        text = block(shipper.heading, "conf" if shipper.file.endswith("conf") else "yaml")
        for old, new in [*shipper.replacements.items(), *changes]:
            self.assertIn(old, text, f"the configuration of {shipper.heading} on the page")
            text = text.replace(old, new.format(**values))
        (directory / shipper.file).write_text(text)
        arguments = [argument.format(**values) for argument in shipper.arguments]
        with open(directory / "output", "ab") as output:
            process = subprocess.Popen([program, *arguments], cwd=directory, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.process_of[directory] = process
        return process

    def end(self, process):
        process.terminate()
        process.wait(trackd.PATIENCE)

    # --- restarts of trackd

    def check_restarts(self, shipper):
        self.program(shipper)
        for ended_by in ("stop", "crash"):
            with self.subTest(ended_by):
                self.check_restart(shipper, ended_by)

    def check_restart(self, shipper, ended_by):
        daemon, directory = self.start_with_key(), self.empty_directory()
        written = 0

        def write(count):
            nonlocal written
            with open(directory / "app.log", "a") as log:
                log.writelines(f'{n}: "quoted" \\ ünïcode\t{time.time_ns()}\n' for n in range(written, written + count))
            written += count

        write(LINES)
        process = self.run_shipper(shipper, daemon.ingest[1], self.key, directory)
        self.wait(lambda: daemon.count() >= written, "the first lines", directory)
        write(LINES)
        self.wait(lambda: daemon.count() > LINES, "some of the lines that trackd ends amid", directory)
        write(LINES)
        getattr(daemon, ended_by)()
        write(LINES)
        daemon = self.restart_with_key(daemon)
        write(LINES)
        self.wait(lambda: daemon.count() >= written, "the lines that were written while trackd was not there", directory)
        self.end(process)
        daemon.wait_until_delivered()
        rows = daemon.rows(written)
        lines = (directory / "app.log").read_text().splitlines()
        self.assertEqual(sorted(json.loads(row["data"])[shipper.line_member] for row in rows), sorted(lines))
        self.assertEqual({(row["source"], row["type"]) for row in rows}, {("host-1", "log")})
        self.assertTrue(all(row["time"] <= row["received_at"] for row in rows), "the time of the line")
        daemon.stop()

    def check_lost_answer(self, shipper):
        """What is stored, but not answered, is sent again with the same ids."""
        self.program(shipper)
        daemon, directory = self.start_with_key(), self.empty_directory()
        proxy = CutProxy(daemon.ingest)
        self.addCleanup(proxy.close)
        (directory / "app.log").write_text("before\n")
        self.run_shipper(shipper, proxy.port, self.key, directory)
        self.wait(lambda: daemon.count() == 1, "the first line", directory)
        proxy.mute()
        with open(directory / "app.log", "a") as log:
            log.writelines(f"line {n}\n" for n in range(LINES))
        self.wait(lambda: daemon.count() > 1, "lines that are stored", directory)
        proxy.cut()
        self.wait(lambda: daemon.sink("sqlite")["duplicates"] > 0, "lines that came again", directory)
        self.wait(lambda: daemon.count() > LINES, "all lines", directory)
        lines = [json.loads(row["data"])[shipper.line_member] for row in daemon.rows(LINES + 1)]
        self.assertEqual(len(set(lines)), LINES + 1)
        daemon.stop()

    def test_syslog_ng_after_a_lost_answer(self):
        self.check_lost_answer(SYSLOG_NG)

    def test_fluent_bit_after_a_lost_answer(self):
        self.check_lost_answer(FLUENT_BIT)

    def check_own_restart(self, shipper):
        """What it could not send before it ends itself is sent after its next start."""
        self.program(shipper)
        daemon, directory = self.start_with_key(), self.empty_directory()
        target = HttpTarget.start(self, host="127.0.0.1")
        target.answer(503, times=10_000)
        (directory / "app.log").write_text("".join(f"line {n}\n" for n in range(LINES)))
        process = self.run_shipper(shipper, target.port, self.key, directory)
        self.wait(lambda: target.refused, "an attempt", directory)
        self.end(process)
        self.assertEqual(target.requests, [])
        self.run_shipper(shipper, daemon.ingest[1], self.key, directory)
        self.wait(lambda: daemon.count() >= LINES, "all lines", directory)
        lines = [json.loads(row["data"])[shipper.line_member] for row in daemon.rows(LINES)]
        self.assertEqual(len(set(lines)), LINES)
        daemon.stop()

    def test_syslog_ng_restarts_itself(self):
        self.check_own_restart(SYSLOG_NG)

    def test_fluent_bit_restarts_itself(self):
        self.check_own_restart(FLUENT_BIT)

    def wait(self, condition, what, directory):
        """Waits for the condition, as long as the program in this directory runs."""
        def met():
            if self.process_of[directory].poll() is not None:
                raise AssertionError("the program ended")
            return condition()

        try:
            trackd.wait_until(met, what)
        except AssertionError as error:
            output = (directory / "output").read_text(errors="replace")
            raise AssertionError(f"{error}\nthe output of the program ends with\n{output[-3000:]}") from None

    def test_syslog_ng_over_a_restart(self):
        self.check_restarts(SYSLOG_NG)

    def test_fluent_bit_over_a_restart(self):
        self.check_restarts(FLUENT_BIT)

    def test_fluent_bit_catches_up(self):
        """It sends as many lines at once as two megabytes hold, and goes on after a long line."""
        self.program(FLUENT_BIT)
        daemon, directory = self.start_with_key(), self.empty_directory()
        (directory / "app.log").write_text("x\n" * 60_000 + "long " * 20_000 + "\nlast\n")
        self.run_shipper(FLUENT_BIT, daemon.ingest[1], self.key, directory)
        self.wait(lambda: daemon.count() >= 60_002, "all lines", directory)
        self.assertEqual(daemon.status()["limits"]["http.max_batch_events"], 0)
        daemon.stop()

    # --- what they do after each status

    def check_statuses(self, shipper, changes=()):
        self.program(shipper)
        runs = []
        for status, action in actions(shipper.heading).items():
            target, directory = HttpTarget.start(self, host="127.0.0.1"), self.empty_directory()
            target.answer(201)  # that it is running before its clock is asked
            (directory / "app.log").write_text("first\n")
            self.run_shipper(shipper, target.port, "trk_any", directory, changes)
            runs.append((status, action, target, directory))
        for status, action, target, directory in runs:
            self.wait_for(target, "first", directory)
        for status, action, target, directory in runs:
            if status == "201":
                pass
            elif status == "no answer":
                target.cut()
            else:
                target.answer(int(status), Retry_After="1")
            self.append(directory, "second")
        for status, action, target, directory in runs:
            with self.subTest(status):
                if action == "done":
                    self.wait_for(target, "second", directory)
                elif action == "retries":
                    self.wait_for(target, "second", directory)
                else:
                    self.wait(lambda: self.lines(target.refused), f"{status} was answered", directory)
                self.append(directory, "third")
                self.wait_for(target, "third", directory)
                taken = self.lines(target.requests)
                self.assertEqual(taken.count("second"), 0 if action == "drops" else 1, action)

    def append(self, directory, line):
        with open(directory / "app.log", "a") as log:
            log.write(line + "\n")

    def lines(self, requests):
        """The lines that were in these requests."""
        events = [json.loads(line) for request in list(requests) for line in unpacked(request).splitlines()]
        return [line for event in events for line in self.lines_of(event)]

    def lines_of(self, event):
        if "resourceLogs" in event:
            return self.batched_lines(event)
        return [event["data"].get("message", event["data"].get("log"))]

    def wait_for(self, target, line, directory):
        self.wait(lambda: line in self.lines(target.requests), repr(line), directory)

    def test_syslog_ng_after_each_answer(self):
        self.check_statuses(SYSLOG_NG, [("time-reopen(5)", "time-reopen(1)")])

    def test_fluent_bit_after_each_answer(self):
        self.check_statuses(FLUENT_BIT, [("scheduler.cap: 30", "scheduler.cap: 2")])

    # --- the OpenTelemetry Collector, whose events are batches

    def batched_lines(self, batch):
        """The lines in a batch of OTLP."""
        return [record["body"]["stringValue"] for resource in batch["resourceLogs"] for scope in resource["scopeLogs"]
                for record in scope["logRecords"]]

    def test_collector_over_a_restart(self):
        self.program(COLLECTOR)
        daemon, directory = self.start_with_key(), self.empty_directory()

        def lines():
            rows = daemon.query("SELECT * FROM events")
            self.assertLessEqual({(row["source"], row["type"]) for row in rows}, {("host-1", "otlp")})
            return {line for row in rows for line in self.batched_lines(json.loads(row["data"]))}

        def write(first):
            with open(directory / "app.log", "a") as log:
                log.writelines(f"line {n}\n" for n in range(first, first + LINES))

        write(0)
        self.run_shipper(COLLECTOR, daemon.ingest[1], self.key, directory, QUIET_COLLECTOR)
        self.wait(lambda: len(lines()) == LINES, "the first lines", directory)
        write(LINES)
        daemon.crash()
        write(2 * LINES)
        daemon = self.restart_with_key(daemon)
        self.wait(lambda: len(lines()) == 3 * LINES, "all lines", directory)
        daemon.stop()

    def test_collector_after_each_answer(self):
        self.check_statuses(COLLECTOR, QUIET_COLLECTOR)

    # --- collectd

    def test_collectd(self):
        self.program(COLLECTD)
        daemon, directory = self.start_with_key(), self.empty_directory()
        process = self.run_shipper(COLLECTD, daemon.ingest[1], self.key, directory,
                                   [("Interval 10", "Interval 1")])
        self.wait(lambda: daemon.count() > 3, "some values", directory)
        before = daemon.count()
        daemon.crash()
        daemon = self.restart_with_key(daemon)
        self.wait(lambda: daemon.count() > before + 3, "values after a restart", directory)
        self.end(process)
        daemon.wait_until_delivered()
        rows = daemon.query("SELECT * FROM events")
        self.assertEqual({(row["source"], row["type"]) for row in rows}, {("host-1", "collectd")})
        self.assertEqual({json.loads(row["data"])["plugin"] for row in rows}, {"load"})
        daemon.stop()

    def test_collectd_after_each_answer(self):
        self.program(COLLECTD)
        runs = []
        for status, action in actions("collectd").items():
            target, directory = HttpTarget.start(self, host="127.0.0.1"), self.empty_directory()
            if status == "no answer":
                target.cut()
            else:
                target.answer(int(status), Retry_After="1")
            self.run_shipper(COLLECTD, target.port, "trk_any", directory, [("Interval 10", "Interval 1")])
            runs.append((status, action, target, directory))
        for status, action, target, directory in runs:
            with self.subTest(status):
                self.wait(lambda: len(target.requests) > 1, "two requests", directory)
                refused, taken = self.times(target.refused), self.times(target.requests)
                self.assertEqual(bool(refused), action == "drops")
                self.assertFalse(refused & taken)

    def times(self, requests):
        return {value["time"] for request in list(requests) for value in json.loads(request.body)}


if __name__ == "__main__":
    unittest.main()
