"""The examples in config/compose and config/kubernetes: what trackd itself can say of them."""
import re
import tomllib
import unittest

from support import trackd

try:
    import yaml
except ImportError:
    yaml = None

CONFIG = trackd.ROOT / "config"
UNITS = {"ms": 0.001, "s": 1, "m": 60}


def seconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(ms|s|m)", text).groups()
    return float(number) * UNITS[unit]


@unittest.skipUnless(yaml, "python3-yaml is not installed: scripts/install-deps test")
class Deployment(trackd.TestCase):
    VARIABLES = {"KAFKA_BROKERS": "kafka:9092", "ADMIN_TOKEN": "0123456789abcdef"}

    def effective(self, configuration, **environment):
        """The configuration with all defaults, as trackd itself understands it."""
        path = self.empty_directory() / "trackd.toml"
        path.write_text(configuration)
        printed = trackd.run("config", "--config", path, environment=environment)
        self.assertEqual(printed.returncode, 0, printed.stderr)
        return tomllib.loads(printed.stdout)

    def longest_stop(self, settings):
        """Until the watchdog ends what has not ended by itself."""
        stages = settings["shutdown"]
        return sum(seconds(stages[key]) for key in ("lame_duck", "request_timeout", "drain_timeout")) + 1

    def kubernetes(self):
        documents = yaml.safe_load_all((CONFIG / "kubernetes" / "trackd.yaml").read_text())
        by_kind = {}
        for document in documents:
            by_kind.setdefault(document["kind"], []).append(document)
        return by_kind

    def test_kubernetes_grants_the_time_that_a_stop_may_take(self):
        kinds = self.kubernetes()
        settings = self.effective(kinds["ConfigMap"][0]["data"]["trackd.toml"], **self.VARIABLES)
        pod = kinds["StatefulSet"][0]["spec"]["template"]["spec"]
        container = pod["containers"][0]
        pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
        self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], pause + self.longest_stop(settings))

    def test_kubernetes_asks_where_trackd_listens_and_keeps_what_it_has_to(self):
        kinds = self.kubernetes()
        settings = self.effective(kinds["ConfigMap"][0]["data"]["trackd.toml"], **self.VARIABLES)
        stateful = kinds["StatefulSet"][0]["spec"]
        container = stateful["template"]["spec"]["containers"][0]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        self.assertEqual(settings["http"]["listen"], f"[::]:{ports['http']}")
        self.assertEqual(settings["admin"]["listen"], f"[::]:{ports['admin']}")
        for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz"), ("startupProbe", "/healthz")):
            self.assertEqual(container[probe]["httpGet"], {"path": path, "port": "admin"}, probe)
        (scraped,) = [port for service in kinds["Service"] if service["metadata"]["name"] == "trackd-pods"
                      for port in service["spec"]["ports"]]
        self.assertEqual(scraped, {"name": "admin", "port": ports["admin"]})
        self.assertNotIn("annotations", stateful["template"]["metadata"], "who scrapes by those shows no token")
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        self.assertEqual(mounts["journal"], settings["data_dir"])
        room = stateful["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
        self.assertGreater(int(room.removesuffix("Gi")), int(settings["journal"]["max_bytes"].removesuffix("GiB")))
        self.assertEqual({env["name"] for env in container["env"]}, set(self.VARIABLES))
        labels = stateful["template"]["metadata"]["labels"]
        for selector in (stateful["selector"]["matchLabels"], kinds["PodDisruptionBudget"][0]["spec"]["selector"]["matchLabels"],
                         *(service["spec"]["selector"] for service in kinds["Service"])):
            self.assertEqual(selector, labels)

    def test_compose_grants_the_time_that_a_stop_may_take_and_gives_each_a_journal_of_its_own(self):
        compose = yaml.safe_load((CONFIG / "compose" / "compose.yaml").read_text())
        settings = self.effective((CONFIG / "compose" / "trackd.toml").read_text())
        journals = set()
        for name in ("trackd-1", "trackd-2", "trackd-3"):
            service = compose["services"][name]
            self.assertGreaterEqual(seconds(service["stop_grace_period"]), self.longest_stop(settings))
            volumes = dict(volume.split(":")[1::-1] for volume in service["volumes"])
            self.assertEqual(volumes["/etc/trackd/trackd.toml"], "./trackd.toml")
            journals.add(volumes[settings["data_dir"]])
        self.assertEqual(len(journals), 3)
        self.assertLessEqual(journals, set(compose["volumes"]))
        brokers = settings["sinks"][0]["brokers"]
        self.assertIn(f"PLAINTEXT://{brokers}", compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"])
