"""Starts the installed trackd as its unit says, in the place of systemd: holds the socket, waits until it is ready,
posts events, stops it, and looks for them. As root, in a file system of its own: scripts/test-package.
"""
import http.client
import os
import pathlib
import pwd
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys

EVENTS = 100
UNITS = pathlib.Path("/usr/lib/systemd/system")


def setting(unit, key):
    return re.search(f"^{key}=(.*)$", (UNITS / unit).read_text(), re.MULTILINE)[1]


def become(user, listening):
    """In the child: what systemd sets before it executes the daemon."""
    os.dup2(listening, 3, inheritable=True)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.umask(0o077)


def main():
    user = pwd.getpwnam(setting("trackd.service", "User"))
    state = pathlib.Path("/var/lib") / setting("trackd.service", "StateDirectory")
    state.mkdir(mode=0o700, exist_ok=True)
    os.chown(state, user.pw_uid, user.pw_gid)
    before = rows(state)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind("\0trackd-test-package")
    manager.settimeout(90)
    held = socket.create_server(("127.0.0.1", 0))
    environment = {
        "PATH": os.environ["PATH"], "NOTIFY_SOCKET": "@trackd-test-package", "LISTEN_FDS": "1",
        "LISTEN_FDNAMES": setting("trackd.socket", "FileDescriptorName"), "TRACKD_ADMIN__LISTEN": "127.0.0.1:0",
    }
    subprocess.run(shlex.split(setting("trackd.service", "ExecStartPre")), env=environment, user=user.pw_uid,
                   group=user.pw_gid, extra_groups=[], check=True)
    # The shell knows the pid that it keeps.
    command = "LISTEN_PID=$$ exec " + setting("trackd.service", "ExecStart")
    daemon = subprocess.Popen(["sh", "-c", command], env=environment, cwd=state, pass_fds=(3,),
                              preexec_fn=lambda: become(user, held.fileno()))
    while b"READY=1" not in manager.recv(4096):
        pass
    client = http.client.HTTPConnection(*held.getsockname(), timeout=90)
    for number in range(EVENTS):
        client.request("POST", "/events", f'{{"type":"test","data":{number}}}', {"Content-Type": "application/json"})
        answer = client.getresponse()
        answer.read()
        assert answer.status == 201, answer.status
    daemon.send_signal(signal.SIGTERM)
    status = daemon.wait(90)
    assert status == 0, f"exit status {status}"
    assert rows(state) == before + EVENTS, f"{rows(state)} rows, {before} before"
    print(f"as_systemd: {EVENTS} answers 201, {EVENTS} rows, exit status 0")


def rows(state):
    database = state / "events.db"
    if not database.exists():
        return 0
    with sqlite3.connect(database) as connection:
        return connection.execute("SELECT count(*) FROM events").fetchone()[0]


if __name__ == "__main__":
    sys.exit(main())
