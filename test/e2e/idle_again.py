"""After work, everything that the work needed is gone: what a leak would show up in is back where it was."""
from support import trackd
from support.load import Ledger
from support.raw_http import Connection


class IdleAgain(trackd.TestCase):
    def figures(self, admin):
        counts = admin.request("GET", "/debug/tasks").json()["counts"]
        # The journal makes, keeps and removes its files as it goes on; they are few, and counted apart.
        journal = self.daemon.open_files(self.daemon.journal)
        self.assertLessEqual(journal, 8, "open files of the journal")
        return {**counts, "open files": self.daemon.open_files() - journal}

    def test_ten_thousand_requests_leave_nothing_behind(self):
        self.daemon = self.start()
        with Connection(self.daemon.admin) as admin:
            warm_up = Ledger(self.daemon.ingest, connections=4, requests=8).start()
            warm_up.wait()  # what is opened once and kept, such as the database's files, is not a leak
            trackd.wait_until(lambda: self.daemon.sink("sqlite")["pending"] == 0, "all delivered")
            trackd.wait_until(lambda: self.daemon.status()["connections"] == {"ingest": 0, "admin": 2}, "idle")
            trackd.wait_until(lambda: self.figures(admin)["connections"] == 1, "only this connection")
            baseline = self.figures(admin)

            load = Ledger(self.daemon.ingest, connections=200, requests=10_000).start()
            load.wait()
            self.assertEqual(len(load.created), 10_000, load.outcome())
            try:
                trackd.wait_until(lambda: self.figures(admin) == baseline, "the figures of before", 30)
            except AssertionError:
                self.assertEqual(self.figures(admin), baseline)
        trackd.wait_until(lambda: self.daemon.status()["tracker"]["pending_events"] == 0, "all delivered")
        status = self.daemon.status()
        self.assertEqual(status["http"]["handler_errors"], 0)
        self.assertEqual(status["tracker"]["pending_bytes"], 0)
        self.assertEqual(self.daemon.stop().delivered, 10_008)

    def test_what_goes_on_is_listed(self):
        self.daemon = self.start()
        connection = self.connect(self.daemon)
        connection.send(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
        trackd.wait_until(lambda: self.daemon.status()["connections"]["ingest"] == 1, "the connection is accepted")
        tasks = self.daemon.tasks()
        listed = [entry for entry in tasks["connections"] if entry["listener"] == "ingest"]
        self.assertEqual(len(listed), 1, tasks)
        self.assertGreaterEqual(listed[0]["age_seconds"], 0)
        self.assertTrue(listed[0]["state"])
        self.assertEqual(tasks["counts"]["deliveries"], 1)
        self.assertTrue(all({"owner", "name", "age_seconds"} <= set(task) for task in tasks["tasks"]), tasks)

    def test_clients_that_vanish_leave_nothing_behind(self):
        self.daemon = self.start()
        with Connection(self.daemon.admin) as admin:
            trackd.wait_until(lambda: self.figures(admin)["connections"] == 1, "only this connection")
            baseline = self.figures(admin)
            for part in (b"", b"POST /ev", b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{}"):
                for farewell in ("close", "half_close", "reset"):
                    for _ in range(20):
                        with self.daemon.connect() as connection:
                            connection.send(part)
                            getattr(connection, farewell)()
            trackd.wait_until(lambda: self.figures(admin)["connections"] == 1, "the connections are gone")
            trackd.wait_until(lambda: self.figures(admin) == baseline, f"the figures of before: {baseline}")
        self.assertEqual(self.daemon.stop().accepted, 0)
