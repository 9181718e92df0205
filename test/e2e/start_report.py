"""What a start says: how the last run ended, what the journal held, what the sinks have still to get, when they have
caught up; and a warning where a database no longer has what was delivered to it."""
import shutil
import sqlite3
import time

from support import trackd
from support.postgres import SharedServer

HURRIED = {"shutdown.drain_timeout": "0s", "tracker.retry.max": "200ms"}
PATIENT = {"shutdown.drain_timeout": "10m"}
WARNING = r"sink {}: .*events were delivered to this sink, whose cursor is at position"


class StartCase(trackd.TestCase):
    def post(self, daemon, count=5, prefix="e"):
        """A commit for each."""
        with daemon.connect() as connection:
            for number in range(count):
                body = f'{{"id":"{prefix}-{number}","data":"the data of {prefix}-{number}"}}'
                self.assertEqual(connection.request("POST", "/events", body).status, 201)

    def deliver(self, daemon, count=5, prefix="e"):
        self.post(daemon, count, prefix)
        daemon.wait_until_delivered()
        return daemon

    def leave_waiting(self, end, settings=None):
        daemon = self.start({**HURRIED, **(settings or {})})
        lock = daemon.lock_database()
        try:
            self.post(daemon)
            end(daemon)
        finally:
            lock.close()
        return daemon

    def assert_last_run(self, daemon, ended, events, line):
        run = daemon.status()["last_run"]
        self.assertEqual((run["ended"], run["journal_events"]), (ended, events), run)
        self.assertEqual(run["journal_bytes"] > 0, events > 0, run)
        self.assertEqual(run["oldest_received_at"] is not None, events > 0, run)
        self.assertTrue(daemon.log.find(line), daemon.log.tail(40))
        text = daemon.command("status").stdout
        self.assertRegex(text, "last run +" + ("none" if ended == "first_start" else ended), text)
        return text


class LastRun(StartCase):
    def test_the_first_start_is_short(self):
        daemon = self.start()
        self.assert_last_run(daemon, "first_start", 0, "^journal: new and empty, this is the first start$")
        self.assertFalse(daemon.log.find("pending at the start"))
        self.assertFalse(daemon.log.find("killed"))

    def test_a_clean_stop(self):
        daemon = self.deliver(self.start())
        daemon.stop()
        again = self.restart(daemon)
        self.assert_last_run(again, "clean", 5, "^journal: 5 events, [0-9]+ bytes, oldest received 20.*; last run: clean stop$")
        self.assertTrue(again.log.find("^pending at the start: sink sqlite 0 events$"))
        self.assertEqual(again.sink("sqlite")["at_start"], {"pending": 0, "at_most": False, "caught_up": True})
        self.assertFalse(again.log.find("caught up with"))

    def test_a_kill(self):
        daemon = self.deliver(self.start())
        daemon.crash()
        again = self.restart(daemon)
        text = self.assert_last_run(again, "killed", 5, "; last run: killed ")
        self.assertIn("the journal held 5 events", text)
        again.stop()
        self.assert_last_run(self.restart(again), "clean", 5, "last run: clean stop$")

    def test_a_kill_of_an_idle_daemon_after_a_clean_stop(self):
        daemon = self.start()
        daemon.stop()
        again = self.restart(daemon)
        self.assertEqual(again.status()["last_run"]["ended"], "clean")
        again.crash()
        self.assert_last_run(self.restart(again), "killed", 0, "^journal: no events; last run: killed ")

    def test_what_a_killed_run_left_is_caught_up_with(self):
        daemon = self.leave_waiting(trackd.Daemon.crash)
        again = self.restart(daemon, PATIENT)
        self.assertTrue(again.log.find("^pending at the start: sink sqlite 5 events$"), again.log.tail())
        again.log.wait_for(r"^sink sqlite: caught up with what was pending at the start, 5 events, after [0-9.]+ s$")
        self.assertEqual(again.sink("sqlite")["at_start"], {"pending": 5, "at_most": False, "caught_up": True})
        self.assertIn("pending at the start: sqlite 5 (caught up)", again.command("status").stdout)
        self.assertEqual(again.count(), 5)

    def test_a_stop_whose_deadline_has_passed_is_clean_with_events_pending(self):
        daemon = self.leave_waiting(lambda one: self.assertEqual(one.stop().pending, 5))
        again = self.restart(daemon, PATIENT)
        self.assert_last_run(again, "clean", 5, "; last run: clean stop$")
        again.log.wait_for(r"^sink sqlite: caught up with .* 5 events")

    def test_a_torn_tail(self):
        daemon = self.leave_waiting(trackd.Daemon.crash)
        path = next(path for path in daemon.segments() if b"the data of e-4" in path.read_bytes())
        with path.open("r+b") as file:
            file.truncate(len(path.read_bytes().rstrip(b"\0")) - 3)
        again = self.restart(daemon, PATIENT)
        text = self.assert_last_run(again, "killed", 4, r"last run: killed .*; torn tail: \d+ bytes of an unfinished commit")
        self.assertGreater(again.status()["last_run"]["torn_bytes"], 0)
        self.assertIn("torn tail", text)

    def test_a_routed_sink_gets_at_most_so_many(self):
        sinks = ('[{name="sqlite",kind="sqlite",types=["order"]},{name="copy",kind="null"}]')
        daemon = self.leave_waiting(trackd.Daemon.crash, {"sinks": sinks, "tracker.ack": "journaled"})
        again = self.restart(daemon)
        self.assertTrue(again.log.find("^pending at the start: sink sqlite (at most 5|0) events"), again.log.tail())

    def test_a_start_that_fails_does_not_count_as_killed(self):
        daemon = self.deliver(self.start())
        daemon.stop()
        self.restart(daemon, {"http.listen": "192.0.2.1:1"}, wait=False).refusal()
        self.assertEqual(self.restart(daemon, {"http.listen": "127.0.0.1:0"}).status()["last_run"]["ended"], "clean")

    def test_a_directory_without_a_mark_is_unknown(self):
        daemon = self.deliver(self.start())
        daemon.crash()
        (daemon.journal / "last_run").unlink()
        self.assert_last_run(self.restart(daemon), "unknown", 5, "; last run: unknown ")

    def test_a_copy_of_a_running_one_is_unknown(self):
        daemon = self.deliver(self.start())
        daemon.crash()
        mark = daemon.journal / "last_run"
        shutil.copy(mark, mark.with_suffix(".copy"))
        mark.with_suffix(".copy").rename(mark)
        self.assert_last_run(self.restart(daemon), "unknown", 5, "; last run: unknown ")

    def test_a_mark_that_cannot_be_written_keeps_neither_the_start_nor_the_stop(self):
        daemon = self.deliver(self.start())
        daemon.stop()
        mark = daemon.journal / "last_run"
        mark.unlink()
        mark.mkdir()
        again = self.restart(daemon)
        self.assertEqual(again.status()["last_run"]["ended"], "unknown")
        self.assertTrue(again.log.find("journal: the next start will not know how this run ends"))
        again.stop()
        self.assertTrue(again.log.find("journal: the next start will not know of this clean stop"))

    def test_a_clean_mark_of_before_a_later_run_is_not_believed(self):
        daemon = self.deliver(self.start())
        daemon.stop()
        mark = (daemon.journal / "last_run").read_bytes()
        again = self.restart(daemon)
        self.deliver(again, 1, "later")
        again.crash()
        (again.journal / "last_run").write_bytes(mark)
        self.assertEqual(self.restart(again).status()["last_run"]["ended"], "unknown")


class WarningCase(StartCase):
    def remove_database(self, daemon):
        for path in daemon.database.parent.glob("events.db*"):
            path.unlink()

    def assert_warning(self, daemon, sink, *parts):
        daemon.log.wait_for(WARNING.format(sink))
        warning = trackd.wait_until(lambda: daemon.sink(sink)["warning"], "the warning")
        for part in parts:
            self.assertIn(part, warning)
        self.assertIn("warning: sink " + sink, daemon.command("status").stdout)

    def assert_no_warning(self, daemon, sink="sqlite"):
        daemon.wait_until_delivered()
        self.assertEqual(daemon.sink(sink)["warning"], "")
        self.assertFalse(daemon.log.find(WARNING.format(sink)), daemon.log.tail(40))

    def stopped(self, settings=None, count=5):
        daemon = self.deliver(self.start(settings), count)
        daemon.stop()
        return daemon


class Database(WarningCase):
    def test_a_database_that_was_removed(self):
        daemon = self.stopped()
        self.remove_database(daemon)
        again = self.restart(daemon)
        self.assert_warning(again, "sqlite", "events.db is new", "but 5 events were delivered", "at position 6:")
        self.deliver(again, 1, "more")
        self.assertEqual(again.count(), 1)
        again.stop()
        self.assert_no_warning(self.restart(again))

    def test_a_database_that_is_removed_under_a_running_daemon(self):
        daemon = self.deliver(self.start())
        self.assert_no_warning(daemon)
        self.remove_database(daemon)
        self.deliver(daemon, 1, "more")
        self.assert_warning(daemon, "sqlite", "is new")

    def test_a_table_that_was_emptied(self):
        daemon = self.stopped()
        with sqlite3.connect(daemon.database) as database:
            database.execute("DELETE FROM events")
        database.close()
        self.assert_warning(self.restart(daemon), "sqlite", "events.db is empty")

    def test_an_older_backup(self):
        daemon = self.stopped()
        copy = daemon.directory / "backup.db"
        shutil.copy(daemon.database, copy)
        again = self.deliver(self.restart(daemon), 20, "later")
        again.stop()
        self.remove_database(again)
        shutil.copy(copy, again.database)
        self.assert_warning(self.restart(again), "sqlite", "has none of the last 10 delivered events")

    def test_one_deleted_row_is_no_warning(self):
        daemon = self.stopped(count=20)
        with sqlite3.connect(daemon.database) as database:
            database.execute("DELETE FROM events WHERE id = 'e-19'")
        database.close()
        self.assert_no_warning(self.restart(daemon))

    def test_rows_that_keep_has_deleted_are_no_warning(self):
        daemon = self.stopped()
        posted = time.monotonic()
        with sqlite3.connect(daemon.database) as database:
            database.execute("UPDATE events SET received_at = '2020-01-01T00:00:00.000000Z'")
        database.close()
        old = self.restart(daemon, {"sinks.sqlite.keep": "1s"})
        trackd.wait_until(lambda: old.count() == 0, "the rows are deleted")
        old.stop()
        trackd.wait_until(lambda: time.monotonic() > posted + 2, "the events are older than keep")
        again = self.restart(old, {"sinks.sqlite.keep": "1s"})
        self.assert_no_warning(again)

    def test_a_sink_that_got_nothing_is_no_warning(self):
        sinks = '[{name="sqlite",kind="sqlite",types=["order"]}]'
        daemon = self.stopped({"sinks": sinks})
        self.remove_database(daemon)
        self.assert_no_warning(self.restart(daemon))

    def test_a_journal_that_begins_anew_is_no_warning(self):
        daemon = self.stopped()
        shutil.rmtree(daemon.journal)
        again = self.restart(daemon)
        self.assert_no_warning(again)
        self.assertEqual(again.status()["last_run"]["ended"], "first_start")

    def test_a_killed_run_is_no_warning(self):
        daemon = self.deliver(self.start())
        daemon.crash()
        self.assert_no_warning(self.restart(daemon))


class Server(SharedServer, WarningCase):
    """PostgreSQL is asked at the first event after the start."""

    def stopped_with(self, server, count=5):
        return self.stopped({"sinks": server.sink(), "tracker.retry.max": "100ms"}, count)

    def more(self, daemon):
        again = self.restart(daemon)
        return self.deliver(again, 1, "more")

    def test_a_table_that_was_truncated(self):
        server = self.shared.new_database()
        daemon = self.stopped_with(server)
        server.execute("TRUNCATE events")
        self.assert_warning(self.more(daemon), "postgres", "table events of", "is empty, but 5 events were delivered")
        self.assertEqual(server.count(), 1)

    def test_a_table_that_was_dropped(self):
        server = self.shared.new_database()
        daemon = self.stopped_with(server)
        server.execute("DROP TABLE events")
        self.assert_warning(self.more(daemon), "postgres", "is new")

    def test_a_table_that_is_dropped_under_a_running_daemon(self):
        server = self.shared.new_database()
        daemon = self.deliver(self.start({"sinks": server.sink(), "tracker.retry.max": "100ms"}))
        server.execute("DROP TABLE events")
        self.deliver(daemon, 1, "more")
        self.assert_warning(daemon, "postgres", "is new")

    def test_an_older_state(self):
        server = self.shared.new_database()
        daemon = self.stopped_with(server, 20)
        server.execute("DELETE FROM events WHERE id NOT IN ('e-0', 'e-1')")
        self.assert_warning(self.more(daemon), "postgres", "has none of the last 10 delivered events")

    def test_a_whole_table_is_no_warning(self):
        server = self.shared.new_database()
        again = self.more(self.stopped_with(server))
        self.assert_no_warning(again, "postgres")
        self.assertEqual(server.count(), 6)
