"""Bodies that come compressed: taken as what they hold, refused where they are unsound, bounded where they are bombs."""
import gzip
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import unittest
import zlib

from support import trackd

MIB = 1 << 20
GIB = 1 << 30


def zstd_bomb(size):
    """Blanks by the gigabyte: a frame of blocks that say "128 KiB of this byte", in four bytes each (RFC 8878)."""
    blocks = size // (128 << 10)
    block = [(last | 1 << 1 | (128 << 10) << 3).to_bytes(3, "little") + b" " for last in (0, 1)]
    return b"\x28\xb5\x2f\xfd\x00\x38" + block[0] * (blocks - 1) + block[1]


def gzip_bomb(size):
    """The same in gzip. A mebibyte that ends in a full flush stands by itself, so that it can be repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    mebibyte = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + mebibyte * (size // MIB) + b"\x03\0" + bytes(8)


def highest_memory(daemon):
    """The most that was ever resident, in bytes."""
    text = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024


class Compressed(trackd.TestCase):
    def test_what_curl_sends_through_gzip_is_stored(self):
        daemon = self.start()
        lines = "".join(json.dumps({"type": "line", "id": f"line-{n}", "data": n}) + "\n" for n in range(1000))
        packed = daemon.directory / "events.ndjson.gz"
        packed.write_bytes(gzip.compress(lines.encode()))
        address = "http://{}:{}/events".format(*daemon.ingest)
        answer = subprocess.run(
            ["curl", "--silent", "--show-error", "--fail", address, "-H", "Content-Type: application/x-ndjson",
             "-H", "Content-Encoding: gzip", "--data-binary", f"@{packed}"],
            capture_output=True, text=True, check=True, timeout=trackd.PATIENCE)
        self.assertEqual(json.loads(answer.stdout), {"accepted": 1000})
        rows = daemon.rows(1000)
        self.assertEqual({row["id"] for row in rows}, {f"line-{n}" for n in range(1000)})

    def test_members_of_gzip_one_behind_the_other_are_one_body(self):
        daemon = self.start()
        packed = b"".join(gzip.compress(b'{"n":%d}\n' % number) for number in range(3))
        answer = daemon.post(packed, content_type="application/x-ndjson", Content_Encoding="gzip")
        self.assertEqual((answer.status, answer.json()), (201, {"accepted": 3}))
        self.assertEqual({row["data"] for row in daemon.rows(3)}, {'{"n":0}', '{"n":1}', '{"n":2}'})

    def test_each_content_coding_is_taken_off(self):
        daemon = self.start()
        body = b'{"type":"packed","data":{"text":"' + b"again and " * 1000 + b'"}}'
        bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed = {
            "gzip": gzip.compress(body), "deflate": zlib.compress(body),
            "Deflate": bare.compress(body) + bare.flush(), "identity": body,
        }
        if program := shutil.which("zstd"):
            packed["zstd"] = subprocess.run([program, "-c"], input=body, capture_output=True, check=True).stdout
        for coding, sent in packed.items():
            self.assertEqual(daemon.post(sent, Content_Encoding=coding).status, 201, coding)
        rows = daemon.rows(len(packed))
        self.assertEqual({row["data"] for row in rows}, {json.dumps(json.loads(body)["data"], separators=(",", ":"))})

    def test_an_unsound_body_is_refused_and_nothing_of_it_stored(self):
        daemon = self.start()
        sound = gzip.compress(b'{"type":"whole"}')
        wrong_sum = sound[:-8] + bytes([sound[-8] ^ 1]) + sound[-7:]
        for body in (sound[:-1], sound[:12], wrong_sum, sound + b"rubbish", sound + sound[:-1], b'{"type":"plain"}'):
            answer = daemon.post(body, Content_Encoding="gzip")
            self.assert_problem(answer, 400, "no sound gzip")
        self.assert_problem(daemon.post(sound, Content_Encoding="br"), 415, "gzip, deflate, zstd")
        self.assertEqual(daemon.post(sound, Content_Encoding="gzip").status, 201)
        self.assertEqual([row["type"] for row in daemon.rows(1)], ["whole"])

    def test_bombs_of_ten_gigabytes_are_refused_in_little_memory(self):
        daemon = self.start({"http.max_body_bytes": "16MiB", "http.max_decoded_ratio": 0, "http.threads": 1})
        bombs = {"zstd": zstd_bomb(10 * GIB), "gzip": gzip_bomb(10 * GIB)}
        # What trackd holds at most: the body as it came, and the bounded part of what it becomes.
        room = max(map(len, bombs.values())) + 2 * 10 * MIB + 16 * MIB
        before = highest_memory(daemon)
        for _ in range(3):
            for coding, bomb in bombs.items():
                self.assertLess(len(bomb), 12 * MIB)
                answer = daemon.post(bomb, Content_Encoding=coding)
                self.assert_problem(answer, 413, "more than 10485760 bytes")
        grown = highest_memory(daemon) - before
        print(f"resident memory: {grown / MIB:.1f} MiB more at most, with bombs of {[len(b) for b in bombs.values()]} bytes")
        if not trackd.SANITIZER:  # a sanitizer keeps freed memory, on purpose
            self.assertLess(grown, room)
        self.assertEqual(daemon.post({"still": "here"}).status, 201)
        self.assertEqual(daemon.stop().accepted, 1)

    def test_a_bomb_is_refused_with_the_defaults_whatever_way_it_takes(self):
        daemon = self.start()
        self.assert_problem(daemon.post(zstd_bomb(10 * GIB), Content_Encoding="zstd"), 413)
        self.assert_problem(daemon.post(gzip.compress(bytes(5 * MIB)), Content_Encoding="gzip"), 413, "200 times")
        self.assertEqual(daemon.stop().accepted, 0)

    def test_a_bomb_is_not_even_read_without_a_key(self):
        digest = hashlib.sha256(b"the key").hexdigest()
        daemon = self.start({"keys": f'[{{name="web",sha256="{digest}"}}]'})
        before = highest_memory(daemon)
        bomb = zstd_bomb(10 * GIB)
        self.assert_problem(daemon.post(bomb, Content_Encoding="zstd"), 401)
        self.assert_problem(daemon.post(bomb, Content_Encoding="zstd", Authorization="Bearer another"), 401)
        self.assert_problem(daemon.post(bomb, Content_Encoding="zstd", Authorization="Bearer the key"), 413)
        if not trackd.SANITIZER:
            self.assertLess(highest_memory(daemon) - before, 2 * 10 * MIB + 16 * MIB)
        self.assertEqual(daemon.stop().accepted, 0)


if __name__ == "__main__":
    unittest.main()
