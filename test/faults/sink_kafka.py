"""A broker of Kafka that is killed, frozen and restarted under load: every event answered 201 is in the topic, and the
events of each key are in their order there, repeats left out of account.

TRACKD_EVENTS says how many events.
"""
import os
import threading

from support import trackd
from support.kafka import Broker

EVENTS = int(os.environ.get("TRACKD_EVENTS", "20000"))
BODY_EVENTS = 100
SOURCES = 17
LINE = '{{"id":"e-{0}","source":"s-{1}","type":"load","data":{{"n":{0},"padding":"' + "x" * 100 + '"}}}}'


class SinkKafka(trackd.TestCase):
    def test_every_201_is_in_the_topic_whatever_becomes_of_the_broker(self):
        broker = Broker()
        self.addCleanup(broker.close)
        broker.create_topic("events")
        sink = f'name="k",kind="kafka",brokers="{broker.address}",timeout="2s",batch_events=500'
        daemon = self.start({"sinks": f"[{{{sink}}}]", "tracker.retry.max": "200ms", "shutdown.drain_timeout": "5m"})
        self.sent = 0
        for trouble in (self.killed, self.frozen, self.restarted, self.killed_while_it_is_down):
            self.under_load(daemon, lambda: trouble(daemon, broker))
        daemon.wait_until_delivered(600)
        retries = daemon.sink("k")["retries"]
        self.assert_books_balance(daemon.status())
        self.assertEqual(daemon.stop()[:6], ("SIGTERM", self.sent, self.sent, 0, 0, 0))
        messages = broker.messages("events")
        self.assert_all_there_in_order(messages)
        print(f"\nledger: {self.sent} answers 201, {len(messages)} messages, {len(messages) - self.sent} repeats, "
              f"{retries} writes tried again, none missing, in order for each of {SOURCES} keys", flush=True)

    def under_load(self, daemon, trouble):
        """Posts a quarter of the events; the trouble begins when some of them have been delivered."""
        before = daemon.sink("k")["delivered"]
        failures = []
        load = threading.Thread(target=self.post, args=(daemon, self.sent + EVENTS // 4, failures))
        load.start()
        try:
            trackd.wait_until(lambda: daemon.sink("k")["delivered"] > before + EVENTS // 40, "some are delivered")
            trouble()
        finally:
            load.join()
        self.assertEqual(failures, [])

    def post(self, daemon, until, failures):
        try:
            with daemon.connect() as connection:
                while self.sent < until:
                    lines = "\n".join(LINE.format(n, n % SOURCES) for n in range(self.sent, self.sent + BODY_EVENTS))
                    answer = connection.request("POST", "/events", lines, Content_Type="application/x-ndjson")
                    self.assertEqual(answer.status, 201, answer)
                    self.sent += BODY_EVENTS
        except Exception as failure:  # shown by under_load
            failures.append(failure)

    def wait_until_it_fails(self, daemon):
        trackd.wait_until(lambda: daemon.sink("k")["failing"], "the sink fails")

    def killed(self, daemon, broker):
        broker.kill()
        broker.start()

    def killed_while_it_is_down(self, daemon, broker):
        broker.kill()
        self.wait_until_it_fails(daemon)
        broker.start()

    def frozen(self, daemon, broker):
        broker.freeze()
        try:
            self.wait_until_it_fails(daemon)
        finally:
            broker.thaw()

    def restarted(self, daemon, broker):
        broker.stop()
        broker.start()

    def assert_all_there_in_order(self, messages):
        seen = {}  # source → the numbers of its events, in the order in which they came first
        known = set()
        for message in messages:
            identity = message.headers["ce_id"]
            if identity not in known:
                known.add(identity)
                seen.setdefault(message.key, []).append(int(identity.removeprefix("e-")))
        self.assertEqual(len(known), self.sent)
        for source in range(SOURCES):
            numbers = seen.pop(f"s-{source}")
            self.assertEqual(numbers, list(range(source, self.sent, SOURCES)), f"the events of s-{source}")
        self.assertEqual(seen, {})
