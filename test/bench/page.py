"""Writes what was measured into docs/benchmarks.md, between its markers. What was not measured now stays as it was."""
import statistics

BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
HEAD = ("| row | what | measured | least and most | should be | hoped for | beside it | commit |\n"
        "|---|---|--:|--:|--:|--:|---|---|\n")


def line_of(name, row, result, commit):
    measured = result.form.format(statistics.median(result.values))
    spread = " – ".join(result.form.format(end) for end in (min(result.values), max(result.values)))
    return cells(name, row, measured, spread if len(result.values) > 1 else "", result.beside, commit)


def cells(name, row, measured="", spread="", beside="", commit=""):
    return f"| `{name}` | {row.what} | {measured} | {spread} | {row.aim} | {row.hope} | {beside} | {commit} |\n"


def write(path, rows, lines, machine):
    """`lines`: the name of a row → its line. `machine` is said below the table."""
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN + "\n")
    old, end, after = rest.partition(END + "\n")
    if not begin or not end:
        raise ValueError(f"{path} has no lines {BEGIN} and {END}")
    known = {line.split("`")[1]: line + "\n" for line in old.splitlines() if line.startswith("| `")}
    table = "".join(lines.get(name) or known.get(name) or cells(name, row) for name, row in rows.items())
    path.write_text(f"{before}{begin}{HEAD}{table}\n{machine}\n{end}{after}")
