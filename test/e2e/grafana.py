"""The dashboard and the alert rules of config/grafana: they ask for what there is, and Prometheus' own promtool understands
them, and what /metrics says."""
import collections
import json
import re
import shutil
import subprocess
import unittest

from e2e.metrics import PARTS_OF_HISTOGRAMS, documented
from support import trackd

GRAFANA = trackd.ROOT / "config" / "grafana"


def dashboard_queries():
    """(where, expression) of all that its panels and variables ask for."""
    dashboard = json.loads((GRAFANA / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


def alert_lines():
    for number, line in enumerate((GRAFANA / "alerts.yml").read_text().splitlines(), 1):
        if not line.lstrip().startswith(("#", "summary:")):
            yield f"alerts.yml:{number}", line


class Grafana(trackd.TestCase):
    def metrics_in(self, expressions):
        """Where each metric is asked for, by its name."""
        known, used = documented(), collections.defaultdict(set)
        for where, expression in expressions:
            for name in re.findall(r"\b(?:trackd|process)_\w+", expression):
                used[name if name in known else PARTS_OF_HISTOGRAMS.sub("", name)].add(where)
        return used

    def test_dashboard_and_alerts_ask_for_what_there_is(self):
        known = documented()
        for expressions in (dashboard_queries(), alert_lines()):
            used = self.metrics_in(expressions)
            self.assertTrue(used)
            self.assertEqual({name: where for name, where in used.items() if name not in known}, {})

    def test_the_dashboard_shows_everything(self):
        self.assertEqual(set(documented()) - set(self.metrics_in(dashboard_queries())), {"process_virtual_memory_bytes"})

    def test_every_alert_is_in_the_documentation(self):
        alerts = re.findall(r"alert: (\w+)", (GRAFANA / "alerts.yml").read_text())
        told = re.findall(r"^\| `(Trackd\w+)` \|", (trackd.ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
        self.assertTrue(alerts)
        self.assertEqual(alerts, told)


@unittest.skipUnless(shutil.which("promtool"), "promtool is not installed: scripts/install-deps test")
class Promtool(trackd.TestCase):
    def promtool(self, *command, **options):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, timeout=trackd.PATIENCE, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_the_page_is_as_it_should_be(self):
        daemon = self.start()
        daemon.post({"n": 1})
        self.promtool("check", "metrics", input=daemon.ask("/metrics").body.decode())

    def test_the_alerts_are_rules_and_fire_when_they_should(self):
        rules = self.empty_directory()
        for file in (GRAFANA / "alerts.yml", trackd.ROOT / "test" / "e2e" / "alerts_test.yml"):
            shutil.copy(file, rules)
        self.promtool("check", "rules", str(rules / "alerts.yml"))
        self.promtool("test", "rules", "alerts_test.yml", cwd=rules)

    def test_what_the_dashboard_asks_is_understood(self):
        rules = ["groups: [{name: dashboard, rules: ["]
        for number, (_, expression) in enumerate(dashboard_queries()):
            if expression.startswith("label_values("):
                continue  # Grafana's own
            query = expression.replace("$__rate_interval", "1m").replace("$instance", "a").replace("$job", "trackd")
            rules.append(f"{{record: 'r{number}', expr: {json.dumps(query)}}},")
        file = self.empty_directory() / "dashboard.yml"
        file.write_text("\n".join([*rules, "]}]"]))
        self.promtool("check", "rules", str(file))
