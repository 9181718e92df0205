"""A PgBouncer of its own in front of a test's PostgreSQL server.

    pool = PgBouncer.start(self, server, "transaction", pool_size=1)
    daemon = self.start({"sinks": server.sink(port=pool.port)})
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support.ports import free_port
from support.trackd import PATIENCE, wait_until


def program():
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise unittest.SkipTest("pgbouncer is not installed")
    return found


class PgBouncer:
    def __init__(self, server, pool_mode, pool_size=1):
        self.program, self.server, self.port = program(), server, free_port()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="trackd-pgbouncer-"))
        (self.directory / "users").write_text('"postgres" ""\n')
        (self.directory / "ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {self.directory}/users\npool_mode = {pool_mode}\n"
            f"default_pool_size = {pool_size}\nserver_login_retry = 0\nlogfile = {self.directory}/log\n"
            f"server_check_delay = 0\n")
        if server.owner:  # it refuses to run as root, as the server does
            for path in (self.directory, self.directory / "users", self.directory / "ini"):
                shutil.chown(path, "postgres", "postgres")
        self.process = subprocess.Popen([self.program, "-q", self.directory / "ini"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.directory,
                                        **server.owner)

    @classmethod
    def start(cls, case, server, pool_mode, pool_size=1):
        pool = cls(server, pool_mode, pool_size)
        case.addCleanup(pool.remove)
        wait_until(lambda: pool.process.poll() is not None or pool.query("SELECT 1") == ["1"], "PgBouncer answers")
        if pool.process.poll() is not None:
            raise AssertionError("PgBouncer ended:\n" + (pool.directory / "log").read_text()[-2000:])
        return pool

    def query(self, *statements):
        """What another client gets through the pool, in one session: a line each row."""
        commands = [word for sql in statements for word in ("-c", sql)]
        done = subprocess.run(
            [self.server.programs / "psql", "-X", "-q", "-A", "-t", "-d", self.server.conninfo(port=self.port),
             *commands], capture_output=True, text=True, timeout=PATIENCE)
        return done.stdout.split() if done.returncode == 0 else [done.stderr]

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
