"""The dashboard in a real browser: what it shows under load, while the daemon stops, and after it has; for the
keyboard, for small and large windows, in the light and in the dark."""
import json
import os
import pathlib
import shutil
import subprocess
import threading
import unittest

from support import trackd

HERE = pathlib.Path(__file__).resolve().parent
PICTURES = os.environ.get("TRACKD_PICTURES")  # a directory to put them into, for people


def installed():
    return shutil.which("chromium") and shutil.which("node") and (HERE / "node_modules" / "playwright-core").is_dir()


class Page:
    """The dashboard of a daemon, open in a browser."""

    def __init__(self, daemon):
        address = "http://{}:{}/".format(*daemon.admin)
        self.process = subprocess.Popen(
            ["node", HERE / "dashboard.mjs", address, shutil.which("chromium"), str(int(1000 * trackd.PATIENCE))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, task):
        self.process.stdin.write(task + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error":"the browser is gone"}')
        if "error" in answer:
            raise AssertionError(f"{task}: {answer['error']}")
        return answer["value"]

    def wait(self, expression):
        self.do(f"wait {expression}")

    def text(self, selector):
        return self.do(f"get document.querySelector({json.dumps(selector)}).innerText")

    def picture(self, name):
        if PICTURES:
            self.do(f"shot {PICTURES}/{name}.png")

    def close(self):
        self.process.stdin.close()
        self.process.wait(trackd.PATIENCE)
        self.process.stdout.close()


class Load:
    """Posts events of several types until it is stopped."""

    def __init__(self, daemon):
        self.daemon, self.stopped, self.sent = daemon, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            with self.daemon.connect() as connection:
                while not self.stopped.wait(0.01):
                    kind = ["page.view", "page.view", "order.paid", "<b>bold</b>"][self.sent % 4]
                    body = json.dumps({"type": kind, "source": "shop", "data": {"n": self.sent, "html": "<i>&amp;"}})
                    if connection.request("POST", "/events", body).closes:
                        return
                    self.sent += 1
        except OSError:
            pass  # the daemon has gone

    def stop(self):
        self.stopped.set()
        self.thread.join()


@unittest.skipUnless(installed(), "there is no chromium or no playwright-core: scripts/test-clients installs them")
class Dashboard(trackd.TestCase):
    def open(self, daemon):
        page = Page(daemon)
        self.addCleanup(page.close)
        return page

    def load(self, daemon):
        load = Load(daemon)
        self.addCleanup(load.stop)
        return load

    def test_before_during_and_after_a_sigterm(self):
        # In memory, so that the drain goes on until the sink works again: a journal's may be left for the next start.
        daemon = self.start({**trackd.MEMORY, "shutdown.lame_duck": "10s", "shutdown.drain_timeout": "90s"})
        load = self.load(daemon)
        page = self.open(daemon)
        page.wait("document.querySelectorAll('#events li').length >= 20")
        page.wait("/^accepted [1-9]/.test(charts.rates.latest())")
        self.assertEqual(page.text("#stage"), "running")
        self.assertIn("sqlite", page.text("#sinks"))
        self.assertIn("works", page.text("#sinks"))
        page.wait("document.getElementById('types').innerText.includes('page.view')")
        page.wait("document.getElementById('types').innerText.includes('<b>bold</b>')")  # text, not HTML
        self.assertIn('"html":"<i>&amp;"', page.text("#events"))
        page.picture("running")
        locked = daemon.lock_database()  # so that there is something to drain
        page.wait("/[1-9]/.test(charts.backlog.latest())")
        page.wait("document.querySelector('#sinks .bad')")
        self.assertIn("locked", page.text("#sinks"))
        page.picture("failing")

        daemon.signal()
        page.wait("document.getElementById('stage').textContent === 'lame duck'")
        self.assertIn("SIGTERM", page.text("#drain-title"))
        page.picture("lame_duck")
        load.stop()
        page.wait("document.getElementById('stage').textContent === 'draining'")
        self.assertEqual(page.text("#stages [aria-current]"), "draining")
        self.assertRegex(page.text("#drain-text"), r"the drain in .* s\. [0-9,]+ events are pending")
        page.picture("draining")
        locked.close()
        daemon.wait()
        page.wait("document.getElementById('stage').textContent === 'no answer'")
        self.assertIn("it has stopped", page.text("#about"))
        self.assertIn("SIGTERM", page.text("#events-state"))
        page.picture("stopped")
        self.assertEqual(page.do("troubles"), [])

    def test_it_goes_on_with_the_next_process(self):
        directory = self.empty_directory()
        daemon = self.start(directory=directory)
        page = self.open(daemon)
        page.wait("document.getElementById('stage').textContent === 'running'")
        daemon.stop()
        page.wait("document.getElementById('stage').textContent === 'no answer'")
        again = self.start({**daemon.settings, "admin.listen": "{}:{}".format(*daemon.admin)}, directory=directory)
        page.wait("document.getElementById('stage').textContent === 'running'")
        self.load(again)
        page.wait("document.querySelectorAll('#events li').length > 0")
        self.assertEqual(page.do("troubles"), [])

    def test_only_the_events_that_were_asked_for_are_shown(self):
        daemon = self.start()
        self.load(daemon)
        page = self.open(daemon)
        page.do("fill [name=type] order.*")
        page.do("click #filter button")
        page.wait("document.querySelectorAll('#events li').length >= 3")
        shown = page.do("get [...document.querySelectorAll('#events strong')].map((type) => type.innerText)")
        self.assertEqual(set(shown), {"order.paid"})

    def test_the_keyboard_is_enough(self):
        daemon = self.start()
        self.load(daemon)
        page = self.open(daemon)
        page.wait("charts.rates.series.get('accepted')?.at(-2) != null")
        reached = []
        for _ in range(20):
            page.do("press Tab")
            reached.append(page.do("get document.activeElement.id || document.activeElement.name || "
                                   "document.activeElement.closest('figure')?.querySelector('figcaption').innerText"))
        for one in ("Events a second", "Lag of each sink", "type", "pause", "events"):
            self.assertIn(one, reached)
        page.do("get document.querySelector('#charts .plot').focus()")
        page.do("press ArrowLeft")
        page.do("press ArrowLeft")
        self.assertRegex(page.text("#charts output"), r"^1 s ago: accepted \d")
        page.do("press Escape")
        self.assertEqual(page.text("#charts output"), "")
        page.do("get document.getElementById('pause').focus()")
        page.do("press Enter")
        self.assertEqual(page.do("get document.getElementById('pause').getAttribute('aria-pressed')"), "true")

    def test_it_is_readable_in_every_width_and_in_the_dark(self):
        daemon = self.start()
        self.load(daemon)
        page = self.open(daemon)
        page.wait("document.querySelectorAll('#events li').length >= 20")
        for colours in ("light", "dark"):
            page.do(colours)
            for width in (400, 800, 1600):
                page.do(f"size {width}")
                wider = page.do("get document.documentElement.scrollWidth - document.documentElement.clientWidth")
                self.assertEqual(wider, 0, f"nothing sticks out at {width}")
                page.picture(f"{colours}-{width}")
            for selector in ("body", ".soft", "#stage", "#sinks .good", "#events strong"):
                contrast = page.do(f"get {CONTRAST}({json.dumps(selector)})")
                self.assertGreaterEqual(contrast, 4.5, f"{selector}, {colours}")

    def test_it_asks_nobody_else(self):
        daemon = self.start()
        page = self.open(daemon)
        page.wait("document.getElementById('stage').textContent === 'running'")
        origin = "http://{}:{}".format(*daemon.admin)
        self.assertEqual([one for one in page.do("origins") if one != "null"], [origin])
        policy = daemon.ask("/").header("content-security-policy")
        self.assertNotIn("unsafe", policy)
        blocked = page.do("get fetch('http://127.0.0.1:1/').then(() => 'allowed', (error) => error.message)")
        self.assertNotEqual(blocked, "allowed")


# The contrast of an element's text with what is behind it, as WCAG 2 reckons it.
CONTRAST = """((selector) => {
  const parse = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const element = document.querySelector(selector);
  let behind = element;
  while (parse(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
    .map((colour) => light(parse(colour)));
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})""".replace("\n", " ")


if __name__ == "__main__":
    unittest.main()
