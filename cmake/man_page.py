"""Makes the manual page trackd.toml(5) of docs/configuration.md, which a test holds against the table of options.

    python3 cmake/man_page.py docs/configuration.md > trackd.toml.5

It knows the Markdown that this one page has: headings, paragraphs, lists, tables, fenced blocks, code, bold, links.
"""
import re
import sys

HEAD = r""".TH TRACKD.TOML 5 "" "trackd" "Configuration"
.SH NAME
trackd.toml \- configuration of the event\-tracking daemon
.SH SYNOPSIS
.B /etc/trackd/trackd.toml
.SH DESCRIPTION
"""
TAIL = """.SH SEE ALSO
.BR trackd (1)
"""


def plain(text):
    """Characters that mean something to roff, as themselves."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti").replace('"', "\\(dq")
    return text.replace("…", "...").replace("→", "\\->")


def inline(text):
    """A paragraph, a cell, an item: code and bold in bold, links as their text."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    parts = re.split(r"(`[^`]*`|\*\*[^*]*\*\*)", text)
    return "".join(f"\\fB{plain(part.strip('`' if part[0] == '`' else '*'))}\\fR" if part[:1] == "`" or part[:2] == "**"
                   else plain(part).replace("\\-", "-") for part in parts)


def line(text):
    """A line of output, which must not begin like a request."""
    return "\\&" + text if text[:1] in (".", "'") else text


def table(rows):
    heads, *cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in rows]
    for row in cells[1:]:
        yield ".TP"
        yield line(inline(row[0]))
        if heads == ["Key", "Default", "Values", "Meaning"]:
            default = "Required" if row[1] == "required" else f"Default: {inline(row[1])}"
            yield f"{default}. Values: {inline(row[2])}."
            yield ".br"
        yield from map(line, map(inline, row[3:] if heads[0] == "Key" else row[1:]))
    yield ".PP"


def page(text):
    fenced = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
    text = fenced.sub(lambda found: "```" + found[1].replace("\n\n", "\n\0\n") + "```", text)
    for block in re.split(r"\n{2,}", text.strip())[1:]:  # without the title
        if block.startswith("#"):
            title = inline(block.lstrip("# "))
            yield f".SH {title.upper()}" if block.startswith("## ") and "\\f" not in title else f".SS {title}"
        elif block.startswith("```"):
            yield ".PP\n.RS 4\n.nf"
            yield from (line(plain(each.replace("\0", ""))) for each in block.strip("`").strip("\n").split("\n"))
            yield ".fi\n.RE"
        elif block.startswith("|"):
            yield from table(block.split("\n"))
        elif re.match(r"(- |\d+\. )", block):
            for item in re.split(r"\n(?=- |\d+\. )", block):
                mark, words = item.split(" ", 1)
                yield ".IP " + ("\\(bu" if mark == "-" else mark) + " 4"
                yield line(inline(" ".join(words.split())))
            yield ".PP"
        else:
            yield ".PP"
            yield line(inline(" ".join(block.split())))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source:
        print(HEAD + "\n".join(page(source.read())) + "\n" + TAIL, end="")
