"""Deleting what is about one person, by the steps of docs/privacy.md: afterwards no file of data_dir has a byte of it."""
import contextlib
import pathlib
import re
import shutil
import sqlite3

from support import trackd

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "privacy.md"
SECRET = "Rosalind-Elsie-7"


class Privacy(trackd.TestCase):
    def files_with(self, daemon, text):
        return sorted(path.name for path in (daemon.directory / "data").rglob("*")
                      if path.is_file() and text.encode() in path.read_bytes())

    def documented_sql(self):
        """What the page gives to sqlite3."""
        found = re.search(r"sqlite3 /var/lib/trackd/events\.db \"(.+?)\"", PAGE.read_text(), re.DOTALL)
        return found[1]

    def test_the_documented_steps_reach_every_copy_of_a_person(self):
        daemon = self.start()
        self.post_numbers(daemon, 0, 500)
        for number in range(20):
            daemon.post({"id": f"p-{number}", "subject": "user-7", "type": "t", "data": SECRET * 200},
                        content_type="application/json")
        self.post_numbers(daemon, 500, 500)
        daemon.wait_until_delivered()
        self.assertEqual(daemon.count(), 1020)
        self.assertTrue({"events.db-wal"} <= set(self.files_with(daemon, SECRET)), "nothing to delete there")

        with contextlib.closing(sqlite3.connect(daemon.database, isolation_level=None)) as connection:
            for statement in self.documented_sql().split(";"):
                if statement.strip():
                    rows = connection.execute(statement).fetchall()
        self.assertEqual(rows, [(0, 0, 0)], "the log was not emptied")
        remaining = self.files_with(daemon, SECRET)
        self.assertEqual([name for name in remaining if name.startswith("events.db")], [])
        self.assertNotEqual(remaining, [], "the journal has it until then, the page says")

        self.post_numbers(daemon, 1000, 10)
        daemon.wait_until_delivered()
        self.assertEqual(daemon.stop().pending, 0)
        shutil.rmtree(daemon.journal)
        self.assertEqual(self.files_with(daemon, SECRET), [])
        again = self.restart(daemon)
        self.post_numbers(again, 1010, 10)
        again.wait_until_delivered()
        again.stop()
        self.assertEqual(len(again.ids()), 1020)
        self.assertEqual(self.files_with(again, SECRET), [])
