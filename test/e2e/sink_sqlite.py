"""The SQLite sink end to end: rows that are deleted when they are old, databases of earlier versions, tables that were altered,
and files that are moved or removed while trackd has them open."""
import contextlib
import os
import re
import sqlite3

from support import strace, trackd
from support.shifted_clock import DAYS_400, ShiftedClock


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

    # --- a clock that is wrong

    def test_a_start_with_a_clock_that_is_far_ahead_deletes_no_row(self):
        clock = ShiftedClock(self)
        first = self.start({"sinks.sqlite.keep": "30d"})
        self.post_numbers(first, 0, 2000)
        self.assertEqual(first.stop().delivered, 2000)
        clock.set(DAYS_400)
        wrong = self.restart(first, environment=clock.environment)
        self.post_numbers(wrong, 2000, 1500)
        wrong.wait_until_delivered()
        self.assertTrue(wrong.log.find("is far ahead of the newest row"))
        wrong.stop()
        right = self.restart(wrong)
        self.post_numbers(right, 3500, 1)
        right.wait_until_delivered()
        right.stop()
        self.assertEqual(len(right.ids()), 3501)
        self.assertFalse(right.log.find("that were older than keep"))

    # --- what a check leaves alone

    def test_a_check_leaves_the_log_of_an_empty_database(self):
        daemon = self.start()
        self.post_numbers(daemon, 0, 5)
        daemon.wait_until_delivered()
        daemon.crash()
        log = f"{daemon.database}-wal"
        os.truncate(daemon.database, 0)
        before = os.path.getsize(log)
        self.assertGreater(before, 0)
        trackd.run("check", *daemon.configuration())
        self.assertEqual(os.path.getsize(log), before)

    # --- files that are no longer where they were

    def rows_of(self, *databases):
        ids = []
        for database in databases:
            with contextlib.closing(sqlite3.connect(database)) as connection:
                ids += [row[0] for row in connection.execute("SELECT id FROM events")]
        return ids

    def test_what_was_delivered_is_there_after_a_crash_though_the_log_was_removed(self):
        daemon = self.start()
        self.post_numbers(daemon, 0, 5)
        daemon.wait_until_delivered()
        os.remove(f"{daemon.database}-wal")
        for first in range(5, 55, 10):
            self.post_numbers(daemon, first, 10)
            daemon.wait_until_delivered()
        daemon.crash()
        self.assertTrue(daemon.log.find("its -wal or -shm was removed or replaced"))
        self.assertEqual(len(self.rows_of(daemon.database)), 55)

    def test_each_delivered_row_is_in_a_database_when_one_is_moved_while_it_is_read(self):
        for crash_first in (False, True):
            with self.subTest("a crash before the next write" if crash_first else "writes, then a crash"):
                daemon = self.start()
                self.post_numbers(daemon, 0, 100)
                daemon.wait_until_delivered()
                reader = sqlite3.connect(daemon.database, isolation_level=None)
                self.addCleanup(reader.close)
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM events").fetchone()
                self.post_numbers(daemon, 100, 5000)
                daemon.wait_until_delivered()
                moved = daemon.database.with_name("moved.db")
                daemon.database.rename(moved)
                if not crash_first:
                    for first in range(5100, 6100, 100):
                        self.post_numbers(daemon, first, 100)
                        daemon.wait_until_delivered()
                daemon.crash()
                again = self.restart(daemon)
                self.post_numbers(again, 6100, 10)
                again.wait_until_delivered()
                again.stop()
                reader.close()
                ids = set(self.rows_of(moved, daemon.database))
                expected = [*range(5100), *range(5100 if not crash_first else 6100, 6110)]
                self.assertEqual(ids, {f"e-{number}" for number in expected})

    # --- tables that were altered

    def test_a_collision_with_the_operators_own_index_is_kept_as_a_dead_letter(self):
        daemon = self.start()
        self.post_numbers(daemon, 0, 3)
        daemon.wait_until_delivered()
        self.change(daemon, "CREATE UNIQUE INDEX one_number ON events (data)")
        self.post_numbers(daemon, 0, 3)  # these are duplicates
        self.assertEqual(daemon.post('{"id":"other","data":1}').status, 201)
        self.post_numbers(daemon, 3, 20)
        daemon.wait_until_delivered()
        sink = daemon.sink("sqlite")
        self.assertEqual((sink["duplicates"], sink["dead_lettered"], sink["failing"]), (3, 1, False))
        self.assertEqual(len(daemon.ids()), 23)

    def test_a_table_that_does_not_fit_gets_nothing_and_says_why(self):
        daemon = self.start()
        self.post_numbers(daemon, 0, 3)
        daemon.wait_until_delivered()
        self.change(daemon, "ALTER TABLE events RENAME COLUMN subject TO topic")
        self.post_numbers(daemon, 3, 20)
        self.error_of(daemon, "sqlite", "the column subject of events is missing")
        daemon.crash()
        again = self.restart(daemon)
        self.error_of(again, "sqlite", "the column subject of events is missing")
        self.assertGreaterEqual(again.sink("sqlite")["pending"], 20)  # or more, if the last cursor was not on disk
        self.assertEqual(again.count(), 3)
        self.change(again, "ALTER TABLE events RENAME COLUMN topic TO subject")
        again.wait_until_delivered()
        self.assertEqual(again.count(), 23)
