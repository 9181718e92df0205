"""Three trackds behind nginx, with one Kafka behind them: all three are restarted under load, one after the other, as a
rollout does it, and once one is killed. Every event answered 201 is in the topic.

nginx runs with the configuration of config/compose. TRACKD_EVENTS says how many events.
"""
import os
import threading

from support import nginx, trackd
from support.kafka import Broker
from support.ports import free_port
from support.raw_http import Connection

EVENTS = int(os.environ.get("TRACKD_EVENTS", "6000"))
CLIENTS = 8
CONFIGURATION = trackd.ROOT / "config" / "compose" / "nginx.conf"


class ThreeTrackds(trackd.TestCase):
    def test_every_201_is_in_the_topic_while_all_three_are_restarted(self):
        broker = Broker()
        self.addCleanup(broker.close)
        broker.create_topic("events")
        sink = f'name="kafka",kind="kafka",brokers="{broker.address}",timeout="10s"'
        self.daemons = [
            self.start({"http.listen": f"127.0.0.1:{free_port()}", "sinks": f"[{{{sink}}}]",
                        "tracker.retry.max": "200ms", "shutdown.drain_timeout": "5m"})
            for _ in range(3)
        ]
        front = self.start_nginx()
        self.created, self.others, self.failures, self.sent = [], [], [], 0
        self.lock = threading.Lock()
        clients = [threading.Thread(target=self.client, args=(front.address,)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for index in range(3):
                self.wait_for_created((index + 1) * EVENTS // 6)
                self.daemons[index].stop()
                self.daemons[index] = self.restart(self.daemons[index])
            self.wait_for_created(4 * EVENTS // 6)
            self.daemons[0].crash()
            self.wait_for_created(5 * EVENTS // 6)
            self.daemons[0] = self.restart(self.daemons[0])
        finally:
            for client in clients:
                client.join()
        self.assertEqual(self.failures, [])
        for daemon in self.daemons:
            daemon.wait_until_delivered(300)
            self.assertEqual(daemon.stop().pending, 0)
        messages = broker.messages("events")
        found = [message.headers["ce_id"] for message in messages]
        missing = set(self.created) - set(found)
        self.assertEqual(missing, set())
        print(f"\nledger: three trackds, {len(self.created)} answers 201, {len(self.others)} others, {len(found)} messages, "
              f"{len(found) - len(set(found))} repeats, none missing", flush=True)

    def start_nginx(self):
        port = free_port()
        text = CONFIGURATION.read_text().replace("/tmp/nginx.pid", "nginx.pid")
        text = text.replace("http {", "http {\n" + nginx.TEMPORARY)
        text = text.replace("listen 8080;", f"listen 127.0.0.1:{port};")
        for number, daemon in enumerate(self.daemons, 1):
            text = text.replace(f"trackd-{number}:8080", "{}:{}".format(*daemon.ingest))
        front = nginx.Nginx(text, ("127.0.0.1", port))
        self.addCleanup(front.close)
        return front

    def wait_for_created(self, count):
        trackd.wait_until(lambda: len(self.created) >= count or self.failures, f"{count} answers 201")

    def client(self, address):
        """Sends event after event; what was not answered 201 is sent again with the same id, as a client should."""
        try:
            while event := self.next_event():
                while not self.post(address, event):
                    pass
        except Exception as failure:  # shown by the test
            self.failures.append(failure)

    def next_event(self):
        with self.lock:
            self.sent += 1
            return f"e-{self.sent}" if self.sent <= EVENTS else None

    def post(self, address, event):
        body = f'{{"id":"{event}","source":"shop","type":"order","data":1}}'
        with Connection(address) as connection:
            status = connection.request("POST", "/events", body, Content_Type="application/json").status
        with self.lock:
            (self.created if status == 201 else self.others).append(event)
        self.assertIn(status, (201, 502, 503))
        return status == 201
