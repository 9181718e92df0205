"""The rotation of docs/keys.md, step by step: clients move to a new key, and no event is stored twice, refused or lost."""
import datetime
import re
import signal
import tomllib

from support import trackd
from support.load import Ledger


def parse_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Rotation(trackd.TestCase):
    LIMITS = 'sources = ["/shop"]\nevents_per_second = 1000000\n'

    def setUp(self):
        created = trackd.run("key", "new", "web")
        self.assertEqual(created.returncode, 0, created)
        self.old = self.key_in(created.stdout)
        self.old_block = created.stdout[created.stdout.index("[[keys]]"):] + self.LIMITS
        self.daemon = self.start(file=self.old_block)

    def key_in(self, text):
        return re.search(r"\btrk_[\w-]{43}\b", text)[0]

    def rotate(self, block):
        """What `trackd key rotate` gives: the key, and the block with its line."""
        done = self.daemon.command("key", "rotate", "web")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        line = done.stdout.splitlines()[-1]
        return self.key_in(done.stdout), re.sub(r"(?m)^sha256 = .*$", line, block)

    def reload(self, block):
        self.daemon.file.write_text(block)
        done = self.daemon.command("reload")
        self.assertEqual((done.returncode, done.stderr), (0, ""), self.daemon.log.tail())

    def post(self, key, *ids):
        events = [{"id": one, "data": 1} for one in ids]
        return self.daemon.post(events, Authorization=f"Bearer {key}").status

    def hashes(self):
        """What /status says of the uses of the key's hashes."""
        (key,) = self.daemon.status()["keys"]
        self.assertEqual(key["name"], "web")
        return key["hashes"]

    def fingerprints(self, block):
        hashes = tomllib.loads(block)["keys"][0]["sha256"]
        return [one[:8] for one in ([hashes] if isinstance(hashes, str) else hashes)]

    def test_the_documented_steps(self):
        (before,) = self.hashes()
        self.assertEqual(before, {"sha256": self.fingerprints(self.old_block)[0], "first_used": None, "last_used": None})
        self.assertEqual(self.post(self.old, "a", "b"), 201)
        started = parse_time(self.daemon.status()["configuration"]["since"]).replace(microsecond=0)

        new, both = self.rotate(self.old_block)
        self.assertEqual(self.post(new, "x"), 401)
        self.reload(both)
        self.daemon.log.wait_for(rf"key web: hash {self.fingerprints(both)[1]} added$")
        old_use, new_use = self.hashes()
        self.assertEqual([old_use["sha256"], new_use["sha256"]], self.fingerprints(both))
        self.assertGreaterEqual(parse_time(old_use["first_used"]), started, "kept over the reload")
        self.assertEqual((new_use["first_used"], new_use["last_used"]), (None, None))

        # A client that sends again what it has sent, now with the new key, and one that has not moved yet.
        self.assertEqual(self.post(new, "a", "b", "c"), 201)
        self.assertEqual(self.post(self.old, "c", "d"), 201)
        rows = self.daemon.rows(4)
        self.assertEqual(sorted(row["id"] for row in rows), ["a", "b", "c", "d"], "each event once")
        self.assertEqual({row["source"] for row in rows}, {"web"}, "which is the key's name, whatever its hash")

        self.assertIsNotNone(self.hashes()[1]["first_used"])
        last = self.hashes()[0]["last_used"]
        trackd.wait_until(
            lambda: self.post(new, "e") == 201 and self.hashes()[1]["last_used"] > last, "a later second")
        self.assertEqual(self.hashes()[0]["last_used"], last, "the old key is not used any more")
        self.assertIn(last, self.daemon.command("status").stdout)

        new_only = re.sub(r"(?m)^sha256 = .*$", f'sha256 = "{tomllib.loads(both)["keys"][0]["sha256"][1]}"', both)
        self.reload(new_only)
        self.assertEqual((self.post(self.old, "f"), self.post(new, "f")), (401, 201))
        self.assertTrue(self.daemon.log.find(rf"key web: hash {self.fingerprints(both)[0]} removed$"))
        self.assertEqual([one["sha256"] for one in self.hashes()], self.fingerprints(new_only))
        self.assertEqual(self.daemon.post({"data": 1, "source": "/bank"}, Authorization=f"Bearer {new}").status, 403,
                         "the key's limits are as they were")
        self.daemon.rows(6)

        self.reload(both)  # someone has forgotten a client
        self.assertEqual(self.hashes()[0]["last_used"], last, "of the process, not of the configuration")
        self.assertEqual(self.post(self.old, "f"), 201)
        self.daemon.wait_until_delivered()
        self.assertEqual(self.daemon.count(), 6)
        for secret in (self.old, new):
            self.assertNotIn(secret, self.daemon.log.tail(1000))
        self.daemon.stop()

    def test_no_request_fails_while_clients_move(self):
        class Client(Ledger):
            def __init__(self, address, key, **options):
                super().__init__(address, connections=16, **options)
                self.wish += f"Authorization: Bearer {key}\r\n"

        stays = Client(self.daemon.ingest, self.old, prefix="stays").start()
        stays.wait_for_created(100)
        new, both = self.rotate(self.old_block)
        self.reload(both)
        moves = Client(self.daemon.ingest, new, prefix="moves").start()
        for block in (both.replace("1000000", "900000"), both):
            moves.wait_for_created(len(moves.created) + 100)
            stays.wait_for_created(len(stays.created) + 100)
            self.reload(block)
        stays.stop()
        new_hash = tomllib.loads(both)["keys"][0]["sha256"][1]
        self.daemon.file.write_text(re.sub(r"(?m)^sha256 = .*$", f'sha256 = "{new_hash}"', both))
        self.daemon.signal(signal.SIGHUP)
        self.daemon.log.wait_for(r"^SIGHUP: key web: hash \w{8} removed")
        moves.wait_for_created(len(moves.created) + 100)
        moves.stop()
        for client in (stays, moves):
            self.assertEqual(client.outcome().partition(",")[0], f"{{201: {len(client.created)}}}", client.outcome())
            self.assertEqual((client.cut_off, client.unheard), ([], []))
        self.daemon.wait_until_delivered()
        self.assertEqual(sorted(self.daemon.ids()), sorted(stays.created + moves.created))
        self.daemon.stop()

    def test_a_list_that_is_wrong_is_refused_and_changes_nothing(self):
        digits = tomllib.loads(self.old_block)["keys"][0]["sha256"]
        for line, wrong in (
            (f'sha256 = ["{digits}", "{digits}"]', r"found the hash \w{8}… twice"),
            ("sha256 = []", "found 0 hashes, expected 1 to 16"),
            (f'sha256 = ["{digits}", "{self.old}"]', "found a key, which is a secret and is not shown"),
        ):
            with self.subTest(line=line):
                self.daemon.file.write_text(self.old_block.replace(f'sha256 = "{digits}"', line))
                done = self.daemon.command("reload")
                self.assertEqual(done.returncode, 2, done)
                self.assertRegex(done.stderr, wrong)
                self.daemon.signal(signal.SIGHUP)
                self.daemon.log.wait_for(f"^SIGHUP: .*{wrong}")
                self.assertEqual(self.post(self.old, "a"), 201)
        self.assertNotIn(self.old, self.daemon.log.tail(1000))
        self.daemon.file.write_text(self.old_block)
        self.assertEqual(self.daemon.stop().accepted, 3)


class Command(trackd.TestCase):
    def test_it_needs_a_key_of_the_configuration(self):
        place = self.empty_directory() / "trackd.toml"
        for text, wrong in (
            ("", "trackd: no key is named web; there is none\n"),
            (f'[[keys]]\nname = "shop"\nsha256 = "{"a" * 64}"\n', "trackd: no key is named web; there is shop\n"),
        ):
            place.write_text(text)
            done = trackd.run("key", "rotate", "web", "--config", place)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", wrong))

    def test_no_name_that_the_configuration_refuses(self):
        for name in ("none", "other"):
            done = trackd.run("key", "new", name)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(f'found "{name}", expected a name other than', done.stderr)
        secret = trackd.run("key", "new", "web").stdout.split()
        secret = next(word for word in secret if word.startswith("trk_"))
        for arguments in (["key", "new", secret], ["key", secret], [secret], ["check", "--set", f"keys.{secret}=1"],
                          ["check", "--set", secret]):
            done = trackd.run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertNotIn(secret[4:], done.stderr)

    def test_output_that_cannot_be_written_is_an_error(self):
        place = self.empty_directory() / "trackd.toml"
        created = trackd.run("key", "new", "web").stdout
        place.write_text(created[created.index("[[keys]]"):])
        for command in (["new", "web"], ["rotate", "web", "--config", str(place)]):
            for where in (">/dev/full", ">&-"):
                with self.subTest(command=command, where=where):
                    done = trackd.subprocess.run(
                        ["sh", "-c", f'exec "$@" {where}', "sh", trackd.binary(), "key", *command],
                        capture_output=True, text=True, timeout=trackd.PATIENCE, env=trackd.clean_environment())
                    self.assertEqual((done.returncode, done.stderr), (2, "trackd: standard output cannot be written to\n"))
