"""A real broker of Kafka: one node on loopback, without ZooKeeper, in a directory of its own; and a consumer of it, kcat.

Its jars are fetched once, by Maven, from what test/support/kafka/pom.xml names. The broker listens in two ways: without
authentication, and with SASL/PLAIN for the user `trackd` with the password `right`.
"""
import collections
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from support.ports import free_ports
from support.trackd import PATIENCE, ROOT, wait_until

POM = pathlib.Path(__file__).with_name("kafka") / "pom.xml"
JARS = ROOT / "build" / "kafka"

LOG4J = """
log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
"""
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAIN://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAIN
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_trackd="right";
log.dirs={directory}/data
num.partitions=3
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
"""

Message = collections.namedtuple("Message", "topic partition offset key headers value timestamp")


def require(*programs):
    """Skips the test where one of these is not installed."""
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"{program} is not installed: scripts/install-deps test")


def class_path():
    """Of the broker and its tools, fetched by whoever is the first to ask."""
    require("java", "mvn")
    done = JARS / "done"
    JARS.mkdir(parents=True, exist_ok=True)
    with (JARS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != POM.read_text():
            shutil.rmtree(JARS / "lib", ignore_errors=True)
            fetched = subprocess.run(
                ["mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={JARS}/lib"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500)
            if fetched.returncode != 0:
                raise unittest.SkipTest(f"Maven could not fetch the broker: {fetched.stdout[:300]}")
            done.write_text(POM.read_text())
    return f"{JARS}/lib/*"


class Broker:
    """Runs until `close`. After `kill` or `stop` it can be started again, on the same ports and with the same data.

    `properties` are further lines of server.properties.
    """

    def __init__(self, properties=""):
        require("kcat")
        self.class_path = class_path()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="trackd-kafka-"))
        self.process = None
        ports = dict(zip(("plain", "sasl", "controller"), free_ports(3)))
        self.address = f"127.0.0.1:{ports['plain']}"
        self.sasl_address = f"127.0.0.1:{ports['sasl']}"
        (self.directory / "log4j.properties").write_text(LOG4J)
        self.properties = self.directory / "server.properties"
        self.properties.write_text(PROPERTIES.format(directory=self.directory, **ports) + properties)
        try:
            self.run("kafka.tools.StorageTool", "format", "-t", "trackd-tests-trackd-00", "-c", self.properties)
            self.start()
        except BaseException:
            self.close()
            raise

    def java(self, main, *arguments):
        return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                f"-Dlog4j.configuration=file:{self.directory}/log4j.properties", "-cp", self.class_path, main,
                *map(str, arguments)]

    def run(self, main, *arguments):
        """Runs one of Kafka's tools to its end, and returns what it printed."""
        done = subprocess.run(self.java(main, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"{main} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def start(self):
        log = self.directory / "log"
        with log.open("w") as out:
            self.process = subprocess.Popen(self.java("kafka.Kafka", self.properties), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, cwd=self.directory)
        wait_until(lambda: "Kafka Server started" in log.read_text() or self.process.poll() is not None, "the broker")
        if self.process.poll() is not None:
            raise AssertionError(f"the broker does not start:\n{log.read_text()[-3000:]}")

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """An orderly end."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def create_topic(self, name, partitions=3, **configuration):
        settings = [part for key, value in configuration.items()
                    for part in ("--config", f"{key.replace('_', '.')}={value}")]
        self.run("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.address, "--create",
                 "--topic", name, "--partitions", partitions, *settings)

    def messages(self, topic):
        """All that are in the topic now, partition by partition in their order."""
        done = subprocess.run(
            ["kcat", "-q", "-b", self.address, "-C", "-t", topic, "-o", "beginning", "-e", "-J"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=4 * PATIENCE, env={**os.environ, "LC_ALL": "C.UTF-8"})
        if done.returncode != 0:
            raise AssertionError(f"kcat ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
        lines = done.stdout.decode(errors="surrogateescape").splitlines()
        return sorted(map(_message, lines), key=lambda message: (message.partition, message.offset))


def _message(line):
    fields = json.loads(line)
    headers = iter(fields.get("headers", ()))
    return Message(fields["topic"], fields["partition"], fields["offset"], fields["key"], dict(zip(headers, headers)),
                   fields["payload"], fields["ts"])
