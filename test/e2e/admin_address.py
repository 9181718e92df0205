"""How the commands that ask a running daemon find it: by --admin, by what the daemon has left in its data directory, or by
a configuration that may have errors."""
import json
import os
import shutil
import signal
import stat
import subprocess
import threading
import unittest

from support import tls, trackd

TOKEN = "0123456789abcdef-token"
# The test puts the data directory where DATA_DIR stands.
BROKEN = {
    "no closing quote": 'data_dir = "DATA_DIR"\n[http]\nlisten = "127.0.0.1:0\n',
    "a syntax error before": 'nonsense\ndata_dir = "DATA_DIR"\n',
    "a header without an end": 'data_dir = "DATA_DIR"\n[admin\nlisten = "127.0.0.1:9"\n',
    "an unknown option": 'data_dir = "DATA_DIR"\ncolour = "red"\n',
    "a wrong value": 'data_dir = "DATA_DIR"\n[http]\nthreads = "many"\n',
    "a contradiction": 'data_dir = "DATA_DIR"\n[backlog]\nkind = "memory"\n',
    "a secret that is not there": 'data_dir = "DATA_DIR"\n[admin]\ntoken = "${file:/no/such/file}"\n',
    "a variable that is not set": 'data_dir = "DATA_DIR"\n[tracker]\nsource = "${NO_SUCH_VARIABLE}"\n',
    "no UTF-8": 'data_dir = "DATA_DIR"\n# \udcff\n',
}
# What each command prints.
COMMANDS = {
    "healthcheck": "ok", "healthcheck --ready": "running", "status": "running for", "status --json": '"stage"',
    "sink pause sqlite": "sqlite is paused", "sink resume sqlite": "sqlite is not paused|is resumed",
    "sink skip sqlite --yes": "sqlite skipped 0 events", "dead-letters retry sqlite --all": "0 delivered",
    "dead-letters drop sqlite --all": "0 dropped",
}


class AddressCase(trackd.TestCase):
    def serve(self, text="", settings=None, **options):
        """A daemon whose configuration is in its file, with a token that only it knows."""
        place = self.empty_directory()
        file = f'data_dir = "{place / "data"}"\n{text}'
        own = {"data_dir": None, "http.listen": None, "admin.listen": None, **(settings or {})}
        environment = {"TRACKD_HTTP__LISTEN": "127.0.0.1:0", "TRACKD_ADMIN__LISTEN": "127.0.0.1:0",
                       "TRACKD_ADMIN__TOKEN": TOKEN, **options.pop("environment", {})}
        environment = {name: value for name, value in environment.items() if value is not None}
        daemon = self.start(own, directory=place, file=file, environment=environment, **options)
        daemon.left = place / "data" / "admin.json"
        return daemon

    def command(self, daemon, *arguments, **options):
        """Runs it as an operator does: with the file alone, in another directory."""
        return trackd.run(*arguments, "--config", daemon.file, **options)

    def break_file(self, daemon, text):
        daemon.file.write_bytes(text.replace("DATA_DIR", str(daemon.left.parent)).encode(errors="surrogateescape"))

    def assert_finds(self, daemon, *options, **more):
        for command in ("healthcheck", "status"):
            done = self.command(daemon, command, *options, **more)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done)


class BrokenFile(AddressCase):
    def test_each_command_works_with_each_broken_file(self):
        daemon = self.serve()
        for name, text in BROKEN.items():
            self.break_file(daemon, text)
            for command, expected in COMMANDS.items():
                with self.subTest(file=name, command=command):
                    done = self.command(daemon, *command.split())
                    self.assertEqual((done.returncode, done.stderr), (0, ""), done)
                    self.assertRegex(done.stdout, expected)
            with self.subTest(file=name, command="reload"):
                done = self.command(daemon, "reload")
                self.assertEqual((done.returncode, done.stdout), (2, ""), done)
                self.assertIn(str(daemon.file), done.stderr)
            with self.subTest(file=name, command="tail"):
                self.assert_tails(daemon)
        daemon.stop()

    def assert_tails(self, daemon):
        process = subprocess.Popen([trackd.binary(), "tail", "--json", "--config", daemon.file], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=trackd.clean_environment())
        watchdog = threading.Timer(trackd.PATIENCE, process.kill)
        watchdog.start()
        try:
            trackd.wait_until(lambda: process.poll() is not None or self.is_tailed(daemon), "the tail")
            self.assertEqual(daemon.post({"id": "1", "data": {}}).status, 201)
            self.assertEqual(json.loads(process.stdout.readline())["id"], "1")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(), 0, process.stderr.read())
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()
            trackd.wait_until(lambda: not self.is_tailed(daemon), "the tail's end")

    def is_tailed(self, daemon):
        return b'"streaming"' in daemon.ask("/debug/tasks", Authorization=f"Bearer {TOKEN}").body

    def test_the_health_check_of_the_image_survives_a_bad_edit(self):
        daemon = self.serve()
        line = next(line for line in (trackd.ROOT / "Dockerfile").read_text().splitlines() if "healthcheck" in line)
        program, *arguments = json.loads(line.strip().removeprefix("CMD "))
        self.assertEqual((program, arguments[:2]), ("trackd", ["--config", "/etc/trackd/trackd.toml"]))
        for text in (*BROKEN.values(), 'data_dir = "DATA_DIR"\n'):
            self.break_file(daemon, text)
            done = trackd.run("--config", daemon.file, *arguments[2:], cwd="/", environment={"TRACKD_ADMIN__LISTEN": "127.0.0.1:9"})
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ok\n", ""), text)
        daemon.stop()
        done = trackd.run("--config", daemon.file, *arguments[2:], cwd="/")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)

    def test_a_file_that_is_gone_leaves_environment_and_set(self):
        daemon = self.serve()
        daemon.file.unlink()
        self.assert_finds(daemon, environment={"TRACKD_DATA_DIR": str(daemon.left.parent)})
        self.assert_finds(daemon, "--set", f"data_dir={daemon.left.parent}")
        daemon.file.mkdir()
        self.assert_finds(daemon, "--set", f"data_dir={daemon.left.parent}")
        daemon.file.rmdir()
        daemon.stop()

    def test_without_a_daemon_dead_letters_still_want_a_right_file(self):
        daemon = self.serve()
        daemon.stop()
        self.break_file(daemon, BROKEN["a wrong value"])
        done = self.command(daemon, "dead-letters", "retry", "sqlite", "--all")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("http.threads", done.stderr)

    def test_the_file_read_leniently_has_the_last_word(self):
        daemon = self.serve()
        host, port = daemon.admin
        daemon.left.unlink()
        self.break_file(daemon, f'nonsense\ndata_dir = "DATA_DIR"\n[http\n[admin]\nlisten = "{host}:{port}"\ntoken = "{TOKEN}"\n')
        self.assert_finds(daemon)
        daemon.stop()
        done = self.command(daemon, "status")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"does not answer at admin\.listen, {host}:{port}: .+; .+trackd\.toml:1:\d+: ")


class LeftByTheDaemon(AddressCase):
    def test_what_it_is(self):
        daemon = self.serve()
        self.assertEqual(stat.S_IMODE(daemon.left.stat().st_mode), 0o600)
        left = json.loads(daemon.left.read_text())
        self.assertEqual(left["process"], daemon.pid)
        self.assertEqual(left["listen"], ["{}:{}".format(*daemon.admin)])
        self.assertNotIn(TOKEN, daemon.left.read_text(), "the token is in no file that trackd writes")
        self.assertEqual(daemon.ask("/status", Authorization=f"Bearer {left['token']}").status, 200)
        daemon.stop()
        self.assertFalse(daemon.left.exists())
        without = self.serve(environment={"TRACKD_ADMIN__TOKEN": None})
        self.assertEqual(json.loads(without.left.read_text())["token"], "")
        self.assert_finds(without)

    def test_a_port_that_the_system_chose(self):
        self.assert_finds(self.serve())

    def test_a_socket_file(self):
        path = self.empty_directory() / "admin.sock"
        daemon = self.serve(environment={"TRACKD_ADMIN__LISTEN": f"unix:{path}"})
        self.assert_finds(daemon)

    def test_all_interfaces(self):
        self.assert_finds(self.serve(environment={"TRACKD_ADMIN__LISTEN": "*:0"}))

    def test_tls(self):
        certificate, key = tls.certificate(self.empty_directory())
        daemon = self.serve(f'[admin.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n')
        self.break_file(daemon, BROKEN["no closing quote"])
        self.assert_finds(daemon)
        host, port = daemon.admin
        self.assert_finds(daemon, "--admin", f"https://{host}:{port}")
        plain = self.command(daemon, "healthcheck", "--admin", f"http://{host}:{port}")
        self.assertEqual(plain.returncode, 1, plain)

    def test_a_configuration_that_is_not_in_force_yet(self):
        daemon = self.serve()
        daemon.file.write_text(f'data_dir = "{daemon.left.parent}"\n[admin]\nlisten = "127.0.0.1:9"\ntoken = "{TOKEN}-other"\n')
        self.assert_finds(daemon)

    def test_a_reload_that_changes_the_token(self):
        secret = self.empty_directory() / "secret"
        secret.write_text(TOKEN)
        daemon = self.serve(environment={"TRACKD_ADMIN__TOKEN": None}, text=f'[admin]\ntoken = "${{file:{secret}}}"\n')
        before = json.loads(daemon.left.read_text())
        self.assert_finds(daemon)
        done = self.command(daemon, "reload")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(json.loads(daemon.left.read_text()), before)
        secret.write_text(TOKEN + "-other")
        done = self.command(daemon, "reload")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("changed: admin.token", done.stdout)
        after = json.loads(daemon.left.read_text())
        self.assertNotEqual(after["token"], before["token"])
        self.assertEqual(daemon.ask("/status", Authorization=f"Bearer {before['token']}").status, 401)
        secret.unlink()
        self.assert_finds(daemon)

    def test_a_reload_that_changes_the_certificate(self):
        certificate, key = tls.certificate(self.empty_directory())
        daemon = self.serve()
        right = daemon.file.read_text()
        daemon.file.write_text(right + f'[admin.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n')
        self.assertEqual(self.command(daemon, "reload").returncode, 0)
        self.assert_finds(daemon)
        self.break_file(daemon, BROKEN["an unknown option"])
        self.assert_finds(daemon)
        daemon.file.write_text(right)
        self.assertEqual(self.command(daemon, "reload").returncode, 0)
        self.assert_finds(daemon)

    def test_what_a_killed_daemon_has_left_is_not_believed(self):
        daemon = self.serve()
        host, port = daemon.admin
        daemon.crash()
        self.assertTrue(daemon.left.exists())
        daemon.file.write_text(f'data_dir = "{daemon.left.parent}"\n[admin]\nlisten = "{host}:{port}"\n')
        for command in ("healthcheck", "status", "reload", "tail", "sink pause sqlite"):
            done = self.command(daemon, *command.split())
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertRegex(done.stderr, rf"admin\.listen, {host}:{port}: Connection refused; {daemon.left} is stale: process {daemon.pid}, ")
        self.break_file(daemon, BROKEN["no closing quote"])
        done = self.command(daemon, "healthcheck", environment={"TRACKD_ADMIN__LISTEN": "127.0.0.1:0"})
        self.assertEqual(done.returncode, 1)
        for part in ("is the daemon running? ", 'admin.listen is "127.0.0.1:0"', "--admin ADDRESS", "is stale", "trackd.toml:3:"):
            self.assertIn(part, done.stderr)
        daemon.file.write_text(f'data_dir = "{daemon.left.parent}"\n')
        following = self.start({"data_dir": None, "http.listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0"},
                               directory=daemon.directory, file=daemon.file.read_text())
        self.assert_finds(daemon)
        self.assertEqual(json.loads(daemon.left.read_text())["process"], following.pid)

    def test_another_user_is_told_why(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("no permission to become another user")
        daemon = self.serve()
        host, port = daemon.admin
        daemon.file.write_text(f'data_dir = "{daemon.left.parent}"\n[admin]\nlisten = "{host}:{port}"\n')
        os.chmod(daemon.directory, 0o755)

        def as_nobody(*command):
            return subprocess.run(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", trackd.binary(), *command, "--config", daemon.file],
                capture_output=True, text=True, cwd="/", timeout=trackd.PATIENCE, env=trackd.clean_environment())

        self.assertEqual(as_nobody("healthcheck").returncode, 0, "which needs no token")
        done = as_nobody("status")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("does not know this admin.token", done.stderr)
        self.assertIn(f"{daemon.left} cannot be read: Permission denied; it is for the user that the daemon runs as", done.stderr)


class Typed(AddressCase):
    def test_admin_wins(self):
        one, other = self.serve(), self.serve()
        self.break_file(one, BROKEN["a wrong value"])
        address = "{}:{}".format(*other.admin)
        token = self.empty_directory() / "token"
        token.write_text(TOKEN + "\n")
        for spelled in (address, f"http://{address}", f"http://{address}/", address.replace("127.0.0.1", "localhost")):
            for arguments in (["--admin", spelled, "status", "--json"], ["status", "--json", "--admin", spelled]):
                done = self.command(one, *arguments, "--token-file", token)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        self.assertEqual(self.command(one, "sink", "pause", "sqlite", "--admin", address, "--token-file", token).returncode, 0)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        paused = [daemon.ask("/status", **headers).json()["sinks"][0]["paused"] for daemon in (one, other)]
        self.assertEqual(paused, [False, True])
        done = self.command(one, "status", "--admin", address)
        self.assertEqual(done.returncode, 1, "the token of one is not shown to the other")
        self.assertIn("does not know this admin.token", done.stderr)
        done = self.command(one, "dead-letters", "drop", "none", "--all", "--admin", address, "--token-file", token)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn(f"the daemon at {address} refused", done.stderr)

    def test_a_name_is_looked_up(self):
        daemon = self.serve()
        done = self.command(daemon, "healthcheck", "--admin", "no-such-host.invalid:8081")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("--admin, no-such-host.invalid:8081: the name cannot be resolved", done.stderr)

    def test_what_is_wrong_is_one_line_and_2(self):
        daemon = self.serve()
        for arguments in (["status", "--admin", "nowhere"], ["healthcheck", "--admin", "127.0.0.1:0"],
                          ["status", "--token-file", "/no/such/file"], ["status", "--set", "nonsense"],
                          ["status", "--set", "admin.listen=nowhere"], ["healthcheck", "--admin", "https://127.0.0.1:1"],
                          ["check", "--admin", "127.0.0.1:1"], ["serve", "--token-file", "/x"],
                          ["dead-letters", "list", "--admin", "127.0.0.1:1"]):
            with self.subTest(arguments):
                done = self.command(daemon, *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        daemon.stop()


if __name__ == "__main__":
    unittest.main()
