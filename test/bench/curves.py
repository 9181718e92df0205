"""What the cost of a request depends on, as plots: the size of events, how many come together, and the connections."""
import shutil
import subprocess
from functools import partial

from bench import payloads
from bench.rounds import JOURNALED, MEMORY, Void, median

# Processor time of one load on a server, divided by the events of a request.
CURVES = {
    "payload": ("bytes an event", "µs a request", (100, 400, 1000, 4000, 16_000, 65_536)),
    "batch": ("events a request (NDJSON, 200 bytes each)", "µs an event", (1, 4, 10, 40, 100, 400, 1000)),
    "connections": ("connections", "µs a request", (1, 4, 16, 64, 256, 1000, 4000, 10_000)),
}


def load_of(curve, x):
    """What is sent for this place of a curve: the request, how many events it has, and the connections."""
    if curve == "payload":
        return payloads.single(x), 1, 64
    if curve == "batch":
        return payloads.ndjson(x), x, 64
    return payloads.single(), 1, x


def measure(bench, curve, x):
    request, events, connections = load_of(curve, x)
    makes = {"journaled": partial(bench.trackd, JOURNALED), "floor": bench.floor}
    if curve != "batch":  # which would fill the memory faster than one processor can empty it
        makes["accepted, memory"] = partial(bench.trackd, MEMORY)
    found = bench.compare(makes, request, count=1, connections=connections, depth=1)  # wrk is slow to open thousands
    return {name: median(each, "cost") / events for name, each in found.items()}


def plot(path, curve, points):
    """`points`: x → server → y."""
    x_label, y_label, _ = CURVES[curve]
    names = list(next(iter(points.values())))
    data = "".join(f"{x} {' '.join(str(by_name[name]) for name in names)}\n" for x, by_name in points.items())
    lines = ", ".join(f'$points using 1:{column} with linespoints linewidth 2 pointtype 7 pointsize 0.5 title "{name}"'
                      for column, name in enumerate(names, 2))
    subprocess.run(["gnuplot"], check=True, text=True, input=f"""\
set terminal svg size 720,420 dynamic background rgb 'white' font 'sans-serif,13'
set output '{path}'
set key above
set logscale xy
set grid
set xlabel '{x_label}'
set ylabel 'processor time, {y_label}'
$points << end
{data}end
plot {lines}
""")


def curves(bench, directory):
    """Measures all of them, and draws each into its SVG file there."""
    if not shutil.which("gnuplot"):
        raise Void("gnuplot is not installed: scripts/install-deps bench")
    directory.mkdir(exist_ok=True)
    for curve, (_, _, places) in CURVES.items():
        plot(directory / f"{curve}.svg", curve, {x: measure(bench, curve, x) for x in places})
