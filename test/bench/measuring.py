"""What the benchmarks share: processors, processor time, our load generator, medians, and how fast the disk is."""
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

BLOCK = 4096


def on_processor(number):
    return ("taskset", "-c", str(number))


def processor_seconds(pid):
    """Of all threads, by the scheduler's own count of nanoseconds."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def wait_until_idle(pid):
    """What was put off until after the answers counts, too. Returns the processor time by then."""
    before = processor_seconds(pid)
    for _ in range(600):
        time.sleep(0.2)
        now = processor_seconds(pid)
        if now - before < 0.004:
            return now
        before = now
    raise AssertionError("two minutes after the load the server still works")


def resident_bytes(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


class Load:
    """A run of test/bench/load against a server on this machine. `options` are those of its command line. `result` is
    what it has counted; with the option `hold` its connections stay open until `close`."""

    def __init__(self, program, address, request, wrapper=(), **options):
        words = [f"--{name}" if value is True else f"--{name}={value}" for name, value in options.items()]
        with tempfile.NamedTemporaryFile() as file:
            file.write(request)
            file.flush()
            self.process = subprocess.Popen(
                [*wrapper, program, str(address[1]), file.name, *words],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                line = self.process.stdout.readline()
            except BaseException:
                self.close()
                raise
        if not line:
            self.close()
            raise AssertionError("the load generator ended without a result")
        self.result = json.loads(line)

    def close(self):
        self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Disk:
    """Times single syncs."""

    BLOCKS = 1024

    def __init__(self, directory):
        self.file, self.path = tempfile.mkstemp(prefix="trackd-bench-", dir=directory)
        os.unlink(self.path)
        os.write(self.file, b"x" * (BLOCK * self.BLOCKS))
        os.fsync(self.file)
        self.times = []

    def measure(self, count=200):
        for number in range(count):
            began = time.perf_counter()
            os.pwrite(self.file, b"y" * BLOCK, number % self.BLOCKS * BLOCK)
            os.fdatasync(self.file)
            self.times.append((time.perf_counter() - began) * 1e6)

    def line(self):
        cuts = statistics.quantiles(self.times, n=100)
        return f"p50 {cuts[49]:.0f} µs, p90 {cuts[89]:.0f} µs, p99 {cuts[98]:.0f} µs ({len(self.times)} times)"


def file_system(directory):
    done = subprocess.run(["df", "--output=fstype,source", directory], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.splitlines()[-1].split()) if done.returncode == 0 else "unknown"
