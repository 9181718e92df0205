"""The SQLite sink end to end: rows that are deleted when they are old, and databases of earlier versions."""
import contextlib
import os
import re
import sqlite3

from support import strace, trackd


class SqliteSink(trackd.TestCase):
    def change(self, daemon, sql):
        """Changes the database of a daemon that has ended."""
        with contextlib.closing(sqlite3.connect(daemon.database)) as connection:
            connection.executescript(sql)

    def test_a_new_database_is_on_the_disk_before_it_counts(self):
        record = self.empty_directory() / "calls"
        daemon = self.start({"tracker.ack": "delivered"}, **strace.record("fdatasync,fsync", record))
        folder = os.path.realpath(daemon.database.parent)

        def synced(what):
            return re.search(rf"f(data)?sync\(\d+<{re.escape(folder + what)}>", record.read_text()[begin:])

        begin = 0
        self.assertTrue(synced("/events.db"), "or SQLite would throw away its log after a power cut")
        self.assertTrue(synced(""), record.read_text())  # in which the names of it and its log are
        begin = len(record.read_text())
        self.assertEqual(daemon.post({"n": 1}).status, 201)
        self.assertTrue(synced("/events.db-wal"), record.read_text())
        self.assertEqual(daemon.stop().delivered, 1)

    def test_rows_that_are_older_than_keep_are_deleted_and_the_books_stay_right(self):
        first = self.start()
        self.post_numbers(first, 0, 5000)
        self.assertEqual(first.stop().delivered, 5000)
        self.change(first, """UPDATE events SET received_at = '2020-01-01T00:00:00.000000Z'
                              WHERE CAST(data AS INTEGER) < 4990""")

        daemon = self.restart(first, {"sinks.sqlite.keep": "1h"})
        trackd.wait_until(lambda: len(daemon.ids()) == 10, "the old rows are deleted")
        self.assertCountEqual(daemon.ids(), [f"e-{number}" for number in range(4990, 5000)])
        self.post_numbers(daemon, 4980, 20)  # of ten there is a row
        daemon.wait_until_delivered()
        status = daemon.status()
        self.assert_books_balance(status)
        sink = status["sinks"][0]
        self.assertEqual((sink["delivered"], sink["duplicates"], sink["failing"]), (5020, 10, False))
        self.assertEqual(daemon.stop().delivered, 5020)
        self.assertCountEqual(daemon.ids(), [f"e-{number}" for number in range(4980, 5000)])
        self.assertTrue(daemon.log.find("events.db: deleted 4990 rows that were older than keep"))

    def test_a_database_of_version_1_is_brought_up_by_the_start(self):
        first = self.start({"sinks.sqlite.indexes": "false"})
        self.post_numbers(first, 0, 100)
        first.stop()
        self.change(first, "PRAGMA user_version = 1")  # which had no index

        daemon = self.restart(first, {"sinks.sqlite.indexes": "true"})
        self.assertTrue(daemon.log.find("bringing its schema from version 1 to 2, with at most 100 rows"))
        self.post_numbers(daemon, 100, 1)
        self.assertEqual(daemon.stop().delivered, 101)
        with contextlib.closing(sqlite3.connect(daemon.database)) as connection:
            self.assertEqual(connection.execute("PRAGMA user_version").fetchone(), (2,))
            plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM events WHERE time >= '2026'").fetchall()
        self.assertIn("trackd_events_by_time", plan[0][3])
        self.assertEqual(len(daemon.ids()), 101)
