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
TROUBLES = {
    "plain": None, "restart": Restart, "SIGKILL": Kill, "withdrawn key": WithdrawnKey, "429": RateLimit,
    "503, full journal": FullJournal, "503, not confirmed": Unconfirmed,
}
SORTS = ("half-surrogate", "control-character", "long-user", "nan", "depth", "no-name")
EACH = "one of each"
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

    def send(self, count, odd="none", batch=None):
        """Runs the client to its end. Returns the numbers that it counts as delivered, and the reasons of the others."""
        text = self.row.run(self.case, [self.front.url, self.key, str(count), str(batch or self.row.batch), odd])
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
    delivered, failed, refused = cell.send(COUNT)
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
        return f"all, {len(failed)} reported as failed"
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
    """What becomes of each odd call, by its sort, and how many calls trackd has left out, by code.

    The ordinary calls beside them may not suffer, unless the path is a strict one.
    """
    odd = {2 * n + 1: one for n, one in enumerate(SORTS)} if sort == EACH else {4: sort}
    count = max(odd) + (2 if sort == EACH else 5)
    cell = Cell(case, row)
    _, failed, refused = cell.send(count, ",".join(f"{n}:{one}" for n, one in odd.items()), batch=2 * count)  # all at once
    rows = cell.stored()
    for number in set(rows) - set(odd):
        cell.check_ordinary(number, rows[number])
    left_out = {code: calls for code, calls in cell.daemon.status()["rejected_calls"].items() if calls}
    case.assertEqual(cell.daemon.stop().lost, 0)
    worst = max(cell.front.statuses)
    if len(failed) == count and row.strict_batches:
        case.assertEqual(rows, {})
        return dict.fromkeys(odd.values(), f"batch refused, {worst}"), left_out
    case.assertEqual(set(rows) - set(odd), set(range(count)) - set(odd), f"the others are stored: {failed} {refused}")
    case.assertEqual((set(failed) | set(refused)) - set(odd), set())
    case.assertEqual(set(rows) & (set(failed) | set(refused)), set(), "stored, and reported as failed")
    case.assertEqual(sum(left_out.values()), count - len(set(rows) | set(failed) | set(refused)), "neither stored nor counted")

    def outcome(number):
        if number in refused:
            return "library refuses it"
        if number in failed:
            return f"refused, {worst}" if worst >= 400 else "library fails at it"
        return describe_odd(odd[number], rows[number]) if number in rows else f"left out, {codes(left_out)}"

    return {odd[number]: outcome(number) for number in odd}, left_out


def codes(left_out):
    return ", ".join(f"`{code}`" for code in left_out)


def compare_each(case, each, alone):
    """What the cell for a batch with one odd call of each sort says, given the outcomes of each sort alone."""
    outcomes, left_out = each
    refused = [text for text in outcomes.values() if text.startswith("batch refused")]
    if refused:
        return refused[0]
    expected = {}
    for sort, (texts, codes_alone) in alone.items():
        case.assertEqual(outcomes[sort].split(",")[0], texts[sort].split(",")[0], sort)
        for code, calls in codes_alone.items():
            expected[code] = expected.get(code, 0) + calls
    case.assertEqual(left_out, expected)
    return "each as alone"


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
    def run_all(self, work):
        """The results by client and column; those that fail are missing, and failures of the test."""
        results = {}
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            running = [(row, column, pool.submit(run, self, row, column)) for run, row, column in work]
            for row, column, result in running:
                with self.subTest(client=row.name, column=column):
                    results[row.name, column] = result.result()
                    print(f"{row.name}: {column}: {results[row.name, column]}", flush=True)
        return results

    def test_every_client_in_every_trouble(self):
        rows = [row for row in matrix_rows.ROWS if row.installed()]
        work = [(run_trouble, row, column) for column in reversed(TROUBLES) for row in rows]
        work += [(run_odd, row, sort) for row in rows for sort in SORTS]
        work += [(run_odd, row, EACH) for row in rows if row.batch > 1]
        cells = self.run_all(work)
        if len(cells) < len(work):
            return  # the failures are there already
        for row in rows:
            alone = {sort: cells[row.name, sort] for sort in SORTS}
            cells[row.name, EACH] = compare_each(self, cells[row.name, EACH], alone) if row.batch > 1 else "no batches"
            cells.update({(row.name, sort): texts[sort] for sort, (texts, _) in alone.items()})
        missing = [row.name for row in matrix_rows.ROWS if not row.installed()]
        if missing:
            self.skipTest(f"not installed, which scripts/test-clients does: {', '.join(missing)}")
        if page := os.environ.get("TRACKD_CLIENTS_PAGE"):
            matrix_page.write(pathlib.Path(page), cells, tuple(TROUBLES), (*SORTS, EACH))


if __name__ == "__main__":
    unittest.main()
