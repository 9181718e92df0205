"""docs/benchmarks.md is written row by row: what was not measured stays, and what it should be is what the program says."""
import pathlib
import tempfile
import unittest

from bench import page
from bench.rows import ROWS, Result, Row
from support.trackd import ROOT

PAGE = f"before\n\n{page.BEGIN}\n{page.END}\n\nafter\n"


class Benchmarks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.page = pathlib.Path(folder.name) / "page.md"
        self.rows = {name: Row(f"what {name} is", "≤ 2 ×", "1 ×", None) for name in ("one", "two")}

    def write(self, name, values, commit):
        result = Result(values, "{:.1f} ×", "beside")
        page.write(self.page, self.rows, {name: page.line_of(name, self.rows[name], result, commit)}, "a machine")
        return self.page.read_text()

    def test_a_row_that_is_measured_again_takes_the_place_of_the_old_one_and_no_other_does(self):
        self.page.write_text(PAGE)
        text = self.write("two", [3, 1, 2], "first")
        self.assertIn("| `one` | what one is |  |  | ≤ 2 × | 1 × |  |  |\n"
                      "| `two` | what two is | 2.0 × | 1.0 × – 3.0 × | ≤ 2 × | 1 × | beside | first |\n", text)
        self.write("one", [4], "second")
        text = self.write("one", [5], "third")
        self.assertIn("| `one` | what one is | 5.0 × |  | ≤ 2 × | 1 × | beside | third |\n"
                      "| `two` | what two is | 2.0 × | 1.0 × – 3.0 × | ≤ 2 × | 1 × | beside | first |\n", text)
        self.assertTrue(text.startswith("before\n\n") and text.endswith("\n\nafter\n"), text)
        self.assertEqual(text.count("a machine"), 1)

    def test_a_page_without_the_markers_is_left_alone(self):
        self.page.write_text("no figures here\n")
        with self.assertRaisesRegex(ValueError, "has no lines .*figures:begin"):
            self.write("one", [1], "first")
        self.assertEqual(self.page.read_text(), "no figures here\n")

    def test_the_page_has_each_row_as_the_program_has_it(self):
        lines = [line for line in (ROOT / "docs" / "benchmarks.md").read_text().splitlines() if line.startswith("| `")]
        found = {name.strip(" `"): (what.strip(), aim.strip(), hope.strip())
                 for _, name, what, _, _, aim, hope, *_ in (line.split("|") for line in lines)}
        self.assertEqual(found, {name: (row.what, row.aim, row.hope) for name, row in ROWS.items()})
