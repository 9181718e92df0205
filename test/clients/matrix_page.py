"""Writes the tables of docs/clients-tested.md, between their markers."""
import re

from clients import matrix_rows


def table(cells, columns, titles):
    lines = [" | ".join(("client", *titles)), "|".join(["---"] * (len(columns) + 1))]
    for row in matrix_rows.ROWS:
        lines.append(" | ".join((row.name, *(cells[row.name, column] for column in columns))))
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def versions():
    lines = ["| client | package | trackd's address |", "|---|---|---|"]
    return "\n".join(lines + [f"| {row.name} | {row.version} | {row.address} |" for row in matrix_rows.ROWS])


def replace(text, name, content):
    """The text with this between the two comments of that name."""
    begin, end = f"<!-- {name}: written by scripts/test-clients -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    assert len(pattern.findall(text)) == 1, f"the page needs {begin} and {end}, once"
    return pattern.sub(lambda _: f"{begin}\n\n{content}\n\n{end}", text)


def write(path, cells, troubles, sorts):
    text = path.read_text()
    text = replace(text, "clients", versions())
    text = replace(text, "troubles", table(cells, troubles, troubles))
    text = replace(text, "odd calls", table(cells, sorts, [sort.replace("-", " ") for sort in sorts]))
    path.write_text(text)
