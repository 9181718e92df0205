"""The matrix of docs/clients-tested.md: other people's clients, a row each, and what may happen, a column each.

Each cell has a client of its own that sends through a front (support/front.py) to a daemon of its own, and checks row by
row what the database has then. With TRACKD_CLIENTS_PAGE the tables of that page are written anew.
"""
import concurrent.futures
import datetime
import gzip
import json
import os
import pathlib
import re
import unittest
from unittest import mock

from clients import matrix_page, matrix_rows
from clients.matrix_troubles import FILLER, FullJournal, Kill, RateLimit, Restart, Trouble, Unconfirmed, WithdrawnKey
from support import trackd
from support.front import Front

COUNT = 40
FIRST = datetime.datetime(2026, 11, 21, 8, 15, 30, tzinfo=datetime.timezone.utc)
ODD = 4  # the number of the odd call
ODD_COUNT = 9
TROUBLES = {
    "plain": None, "restart": Restart, "SIGKILL": Kill, "withdrawn key": WithdrawnKey, "429": RateLimit,
    "503, full journal": FullJournal, "503, not confirmed": Unconfirmed,
}
SORTS = ("half-surrogate", "control-character", "long-user", "nan", "depth", "no-name")
# As many cells at a time: most of them wait for a client that waits.
WORKERS = 6


def new_key(name):
    """A key, and its table of the configuration."""
    done = trackd.run("key", "new", name)
    assert done.returncode == 0, done
    key = next(word for word in done.stdout.split() if word.startswith("trk_"))
    return key, done.stdout[done.stdout.index("[[keys]]"):]


def numbers_of(request):
    head, _, body = request.partition(b"\r\n\r\n")
    if re.search(rb"(?i)content-encoding: *gzip", head):
        body = gzip.decompress(body)
    return tuple(map(int, re.findall(rb'"n":\s*(\d+)', body)))


class Cell:
    """A client, its daemon, and the front between them."""

    def __init__(self, case, row, trouble=None):
        self.case = case
        self.row = row
        self.key, self._table = new_key("client")
        self.spare_key, self._spare_table = new_key("spare")
        self.daemon = case.start(trouble.settings if trouble else {}, file=self._file())
        self.front = Front.start(case, self.daemon.ingest)
        self.front.on_request = self.on_request
        self.trouble = trouble(self, COUNT // row.batch // 4 + 1) if trouble else None
        self.requests = []  # the numbers of each one's calls
        self.hit = set()  # the numbers of the request that met the trouble

    def on_request(self, number, request):
        self.requests.append(numbers_of(request))
        if not self.trouble or self.trouble.met:
            return self.front.exchange(request)
        response = self.trouble.on_request(number, request)
        if self.trouble.met:
            self.hit = set(self.requests[-1])
        return response

    def _file(self, limit="", with_key=True):
        return (f"{self._table}\n{limit}\n" if with_key else "") + self._spare_table

    def configure(self, limit="", with_key=True):
        self.daemon.file.write_text(self._file(limit, with_key))
        answer = self.daemon.reload()
        assert answer["changed"], answer

    def start_again(self):
        self.daemon = self.case.restart(self.daemon, file=self._file())
        self.front.target = self.daemon.ingest

    def send(self, count, sort):
        """Runs the client to its end. Returns the numbers that it counts as delivered, and the reasons of the others."""
        text = self.row.run(self.case, [self.front.url, self.key, str(count), str(self.row.batch), sort])
        if self.front.error:
            raise self.front.error
        report = json.loads(text)
        failed, refused = ({entry["n"]: entry["why"] for entry in report[name]} for name in ("failed", "refused"))
        delivered = report["delivered"]
        self.case.assertEqual(sorted([*delivered, *failed, *refused]), list(range(count)), "it tells of each once")
        return set(delivered), failed, refused

    def stored(self):
        """The rows by the numbers in their data; no number may be there twice."""
        self.daemon.wait_until_delivered()
        rows = {}
        for row in self.daemon.query("SELECT * FROM events WHERE type <> ?", FILLER):
            row["data"] = json.loads(row["data"])
            row["sent"] = row["data"]["properties"] if self.row.calls else row["data"]
            number = row["sent"]["n"]
            self.case.assertNotIn(number, rows, "stored twice")
            rows[number] = row
        return rows

    def check_ordinary(self, number, row):
        """Everything that the program said of this call."""
        expected = (
            "Order Completed", f"user-{number}", "client" if self.row.calls else "/clients",
            {"n": number, "total": 12.5, "note": 'Grüße "€"'}, FIRST + datetime.timedelta(seconds=number))
        found = (row["type"], row["subject"], row["source"], row["sent"], datetime.datetime.fromisoformat(
            row["time"].replace("Z", "+00:00")))
        self.case.assertEqual(found, expected)
        if self.row.calls:
            self.case.assertEqual(row["data"]["messageId"], row["id"])


def run_trouble(case, row, column):
    """What a cell of the first table says. Whatever is lost or doubled against the rules of the row is a failure."""
    cell = Cell(case, row, TROUBLES[column])
    delivered, failed, refused = cell.send(COUNT, "many")
    rows = cell.stored()
    for number, stored in rows.items():
        cell.check_ordinary(number, stored)
    case.assertEqual(refused, {})
    case.assertEqual(delivered - set(rows), set(), "the client counts them as delivered, and they are lost")
    case.assertTrue(not cell.trouble or cell.trouble.met, "the trouble never came")
    case.assertEqual(cell.daemon.stop().lost, 0)
    repeated = len(cell.requests) - len(set(cell.requests))
    if not failed:
        case.assertEqual(set(rows), set(range(COUNT)))
        case.assertNotIn(column, row.gives_up, "it gave up in this trouble before")
        return "all" + (f", {repeated} repeated" if repeated else "")
    case.assertIn(column, row.gives_up, f"the client gave up {failed}")
    case.assertEqual((set(failed), repeated), (cell.hit, 0), "the request that met the trouble is given up")
    if cell.trouble.stored:
        case.assertEqual(set(rows), set(range(COUNT)))
        return f"all, {len(failed)} told as failed"
    case.assertEqual(set(rows), set(range(COUNT)) - set(failed))
    return f"{len(rows)}, {len(failed)} given up"


def describe_odd(sort, row):
    """How the odd call is stored."""
    if sort == "half-surrogate":
        return f"stored, half is U+{ord(row['sent']['odd'][-1]):04X}"
    if sort == "control-character":
        return f"stored, type {json.dumps(row['type'])}"
    if sort == "long-user":
        return f"stored, subject of {len(row['subject'])} bytes"
    if sort == "nan":
        return f"stored as {json.dumps(row['sent']['odd'])}"
    return "stored"


def run_odd(case, row, sort):
    """What a cell of the second table says. The eight other calls may not suffer, unless the path is a strict one."""
    cell = Cell(case, row)
    delivered, failed, refused = cell.send(ODD_COUNT, sort)
    rows = cell.stored()
    for number in set(rows) - {ODD}:
        cell.check_ordinary(number, rows[number])
    left_out = [code for code, calls in cell.daemon.status()["rejected_calls"].items() if calls]
    case.assertEqual(cell.daemon.stop().lost, 0)
    if set(failed) == set(range(ODD_COUNT)) and row.strict_batches:
        case.assertEqual(rows, {})
        return f"batch refused, {max(cell.front.statuses)}"
    case.assertEqual(set(rows) - {ODD}, set(range(ODD_COUNT)) - {ODD}, f"the others are stored: {failed} {refused}")
    case.assertEqual((set(failed) | set(refused)) - {ODD}, set())
    if ODD in refused:
        case.assertNotIn(ODD, rows)
        return "library refuses it"
    if ODD in failed:
        case.assertNotIn(ODD, rows)
        return f"refused, {max(cell.front.statuses)}" if max(cell.front.statuses) >= 400 else "library fails at it"
    if ODD not in rows:
        case.assertEqual(len(left_out), 1, "neither stored nor counted")
        return f"left out, `{left_out[0]}`"
    case.assertEqual(left_out, [])
    return describe_odd(sort, rows[ODD])


class Loss(Trouble):
    """Tells the client that its events are stored, and drops them."""

    def meet(self, request):
        self.met = True
        return b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


class Double(Trouble):
    """Stores the request's events a second time, with other ids."""

    def meet(self, request):
        self.met = True
        self.cell.front.exchange(request.replace(b"e-10", b"f-10"))
        return self.cell.front.exchange(request)


class Checks(trackd.TestCase):
    """That a loss and a double would be noticed."""

    def assert_fails(self, trouble, text):
        row = matrix_rows.named("CloudEvents, Go")
        if not row.installed():
            self.skipTest("not installed: scripts/test-clients does that")
        with mock.patch.dict(TROUBLES, {"broken": trouble}), self.assertRaisesRegex(AssertionError, text):
            run_trouble(self, row, "broken")

    def test_a_loss(self):
        self.assert_fails(Loss, "10 : the client counts them as delivered")

    def test_a_double(self):
        self.assert_fails(Double, "stored twice")


class Matrix(trackd.TestCase):
    def test_every_client_in_every_trouble(self):
        rows = [row for row in matrix_rows.ROWS if row.installed()]
        work = [(run_trouble, row, column) for column in reversed(TROUBLES) for row in rows]
        work += [(run_odd, row, sort) for row in rows for sort in SORTS]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            results = [(row.name, column, pool.submit(run, self, row, column)) for run, row, column in work]
            cells = {}
            for name, column, result in results:
                with self.subTest(client=name, column=column):
                    cells[name, column] = result.result()
                    print(f"{name}: {column}: {cells[name, column]}", flush=True)
        missing = [row.name for row in matrix_rows.ROWS if not row.installed()]
        if missing:
            self.skipTest(f"not installed, which scripts/test-clients does: {', '.join(missing)}")
        if len(cells) == len(work) and (page := os.environ.get("TRACKD_CLIENTS_PAGE")):
            matrix_page.write(pathlib.Path(page), cells, tuple(TROUBLES), SORTS)


if __name__ == "__main__":
    unittest.main()
