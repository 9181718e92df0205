"""A daemon whose wall clock can be set by the test, by test/support/shifted_clock.c."""
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

from support import trackd

DAYS_400 = 400 * 24 * 3600


class ShiftedClock:
    """`environment` is for the daemon. In the beginning its clock is right."""

    def __init__(self, case):
        if trackd.SANITIZER:
            raise unittest.SkipTest("a sanitizer does not run behind a preloaded library")
        if not shutil.which("cc"):
            raise unittest.SkipTest("there is no C compiler")
        directory = pathlib.Path(tempfile.mkdtemp(prefix="trackd-test-"))
        case.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        library = directory / "shifted_clock.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, pathlib.Path(__file__).with_suffix(".c"), "-ldl"],
                       check=True)
        self._file = directory / "seconds"
        self._file.write_bytes(struct.pack("q", 0))
        self.environment = {"LD_PRELOAD": str(library), "SHIFTED_CLOCK": str(self._file)}

    def set(self, seconds):
        """From now on the daemon's clock is ahead by so many seconds, or behind."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", seconds))
