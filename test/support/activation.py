"""Starts a daemon with sockets that somebody else holds, as systemd does: see sd_listen_fds(3)."""
import os

# Puts the descriptors that PASSED names at 3 and up, says so in the environment, and becomes the command: LISTEN_PID
# has to be that of the process itself.
_ACTIVATOR = r"""
import os, sys
names, count, pid, *command = sys.argv[1:]
sources = [int(number) for number in os.environ.pop("PASSED").split(",")]
moved = [os.dup2(number, 100 + at) for at, number in enumerate(sources)]
for number in sources:
    os.close(number)
for at, number in enumerate(moved):
    os.dup2(number, 3 + at, inheritable=True)
    os.close(number)
os.environ["LISTEN_FDS"] = count or str(len(sources))
os.environ["LISTEN_PID"] = pid or str(os.getpid())
if names: os.environ["LISTEN_FDNAMES"] = names
os.execv(command[0], command)
"""


def activate(start, sockets, settings, names="", count="", pid="", **options):
    """The daemon, by TestCase.start or something like it, with these sockets from descriptor 3 on. Their owner keeps
    them: they live on when the daemon ends."""
    copies = [os.dup(each.fileno()) for each in sockets]
    for copy in copies:
        os.set_inheritable(copy, True)
    try:
        return start(settings, environment={"PASSED": ",".join(map(str, copies))}, pass_fds=copies,
                     wrapper=["python3", "-c", _ACTIVATOR, names, count, pid], **options)
    finally:
        for copy in copies:
            os.close(copy)
