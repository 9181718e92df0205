"""Sinks with routes: what a sink does not want is neither pending nor skipped, before and after a restart."""
import json

from support import trackd
from support.raw_http import request_bytes

SMALL = {"journal.segment_bytes": "1MiB", "journal.max_bytes": "4MiB", "tracker.retry.max": "200ms"}
SINKS = """[[sinks]]
name = "all"
kind = "null"
[[sinks]]
name = "orders"
kind = "sqlite"
types = {types}
{more}
"""


def sinks(types='["order"]', more='required = false\non_full = "skip"'):
    return SINKS.format(types=types, more=more)


class RoutedSinks(trackd.TestCase):
    def post(self, daemon, orders, pages, size=10):
        """One request with so many of both, waiting for room where there is none."""
        kinds = ["order"] * orders + ["page"] * pages
        body = json.dumps([{"source": "test", "type": kind, "data": "x" * size} for kind in kinds])
        def posted():
            answer = daemon.post(body)
            self.assertIn(answer.status, (201, 503))
            return answer.status == 201
        trackd.wait_until(posted, "201")

    def figures(self, daemon):
        status = daemon.status()
        self.assert_books_balance(status)
        sink = next(sink for sink in status["sinks"] if sink["name"] == "orders")
        self.assertEqual(sink["lag_events"], sink["pending"])
        return sink

    def wait_for(self, daemon, **figures):
        def there():
            sink = self.figures(daemon)
            return all(sink[name] == value for name, value in figures.items())
        trackd.wait_until(there, f"{figures}")
        return self.figures(daemon)

    def test_what_is_not_wanted_is_not_pending_while_the_sink_is_down(self):
        daemon = self.start(SMALL, file=sinks())
        lock = daemon.lock_database()
        self.post(daemon, 0, 300)
        sink = self.wait_for(daemon, filtered=300)
        self.assertEqual((sink["pending"], sink["lag_bytes"], sink["lag_seconds"], sink["caught_up_in_seconds"]),
                         (0, 0, 0, 0))
        self.post(daemon, 2, 0)
        self.error_of(daemon, "orders", "locked")
        self.post(daemon, 0, 500)
        self.post(daemon, 1, 10)
        sink = self.wait_for(daemon, pending=3)
        self.assertEqual(sink["filtered"], 810)
        self.assertIn('trackd_sink_pending_events{sink="orders"} 3\n', daemon.ask("/metrics").body.decode())
        self.assertEqual(daemon.stop().pending, 3)
        daemon = self.restart(daemon, file=sinks())
        self.wait_for(daemon, pending=3, filtered=810)
        lock.close()
        self.wait_for(daemon, pending=0, delivered=3, filtered=810)
        self.assertEqual(daemon.count(), 3)
        daemon.stop()

    def test_only_wanted_events_count_as_skipped(self):
        daemon = self.start(SMALL, file=sinks())
        lock = daemon.lock_database()
        for _ in range(40):
            self.post(daemon, 5, 45, size=10_000)  # 20 MB through a journal of 4 MiB
        sink = self.wait_for(daemon, filtered=1800)
        self.assertGreater(sink["skipped"], 50)
        self.assertEqual(sink["skipped"] + sink["pending"], 200)
        pending = self.figures(daemon)["pending"]
        daemon.stop()
        daemon = self.restart(daemon, file=sinks())
        self.wait_for(daemon, pending=pending, filtered=1800, skipped=200 - pending)
        for _ in range(40):
            self.post(daemon, 5, 45, size=10_000)
        sink = self.wait_for(daemon, filtered=3600)
        self.assertEqual(sink["skipped"] + sink["pending"], 400)
        lock.close()
        sink = self.wait_for(daemon, pending=0, filtered=3600)
        self.assertEqual(sink["delivered"] + sink["skipped"], 400)
        self.assertEqual(daemon.count(), sink["delivered"])
        daemon.stop()

    def test_a_route_that_changes_is_counted_again(self):
        daemon = self.start(SMALL, file=sinks(more=""))
        lock = daemon.lock_database()
        self.post(daemon, 1, 0)
        self.error_of(daemon, "orders", "locked")
        self.post(daemon, 20, 300)
        self.wait_for(daemon, pending=21, filtered=300)
        daemon.file.write_text(sinks(types='["page"]', more=""))
        daemon.reload()
        self.wait_for(daemon, pending=1 + 300, filtered=20)  # the first order is with the sink
        daemon.file.write_text(sinks(types="[]", more=""))
        daemon.reload()
        self.wait_for(daemon, pending=321, filtered=0)
        lock.close()
        self.wait_for(daemon, pending=0, delivered=321, filtered=0)
        daemon.stop()

    def test_a_201_does_not_wait_for_a_sink_that_does_not_want_the_event(self):
        daemon = self.start({**SMALL, "tracker.ack": "delivered", "tracker.ack_timeout": "30s"}, file=sinks(more=""))
        lock = daemon.lock_database()
        with daemon.connect() as waiting:
            waiting.send(request_bytes("POST", "/events/order", b"{}"))
            self.error_of(daemon, "orders", "locked")
            for _ in range(10):
                self.assertEqual(daemon.post("{}", path="/events/page").status, 201)
            self.wait_for(daemon, pending=1, filtered=10)
            lock.close()
            self.assertEqual(waiting.response().status, 201)
        daemon.stop()
