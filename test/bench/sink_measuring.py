"""What the benchmarks of sinks share: microseconds a row, medians over interleaved rounds, one kind of table. The same for
C++ is measuring.hpp."""
import argparse
import pathlib
import re
import resource
import statistics
import subprocess
import time

# A line of such a table: name, rows a second, microseconds a row, of processor time, and what else there is.
LINE = re.compile(r"^\| (?P<name>.+?) \| (?P<rate>[\d,]+) \| (?P<wall>[\d.]+) \| (?P<processor>[\d.]+) \|", re.MULTILINE)


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_tree", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def of_sink(command, _rows):
    """Microseconds a row, wall-clock and the client's processor time, of one of our programs: it says that itself."""
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(figure) for figure in said.split()]


def of_tool(command, rows):
    """The same of somebody else's program."""
    began, used = time.monotonic(), children_seconds()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return [seconds * 1e6 / rows for seconds in (time.monotonic() - began, children_seconds() - used)]


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_turn(rounds, measurements):
    """Name → the medians of what the name's measurement gives, each being called once a round."""
    figures = {name: [] for name in measurements}
    for _ in range(rounds):
        for name, measure in measurements.items():
            figures[name].append(measure())
    return {name: [statistics.median(column) for column in zip(*each)] for name, each in figures.items()}


def print_table(medians, *more):
    """`more` are the names of columns behind the first two figures."""
    heads = ["", "rows/s", "us/row", "CPU us/row", *more]
    print(f"| {' | '.join(heads)} |\n|---{'|--:' * (len(heads) - 1)}|")
    for name, figures in medians.items():
        cells = [name, f"{1e6 / figures[0]:,.0f}", *(f"{figure:.2f}" for figure in figures)]
        print(f"| {' | '.join(cells)} |")
