"""Trouble in the middle of many events: what the tests share in which a sink, its server or trackd itself gets into it."""
import time

from support.load import Stream
from support.trackd import wait_until


class Troubles:
    """One of `kinds` after the other while `events` events come, each when its share of them has been delivered.

    `ahead` says by how many shares the load is ahead of the troubles, at most. It is for sinks that are as quick as the
    load, and would be through before the second trouble; where it is not given, all is posted as soon as possible.
    """

    def __init__(self, events, kinds, ahead=None):
        self.events = events
        self.kinds = kinds
        self.early = 0  # troubles that came before all was delivered
        self.took = None
        self._ahead = ahead
        self._made = 0
        self._load = None

    def go_through(self, address, make, sink):
        """Until all is delivered; gives the load, with what became of each event.

        `make` is called with each kind, and `sink` gives the sink's figures: not while `make` runs.
        """
        began = time.monotonic()
        before = sink()["delivered"]
        load = self._load = Stream(address, self.events)
        self._let_on()
        load.start()
        for kind in self.kinds:
            share = self._share(self._made)

            def reached():
                load.raise_error()
                return sink()["delivered"] - before > share
            wait_until(reached, f"more than {share} are delivered")
            self.early += sink()["delivered"] - before < self.events
            make(kind)
            self._made += 1
            self._let_on()
        load.allow(self.events)
        load.wait()
        wait_until(lambda: sink()["pending"] == 0, "all delivered", 600)
        self.took = time.monotonic() - began
        return load

    def post_more(self):
        """For `make`: something new comes, whatever was delivered meanwhile, by which the sink notices its trouble."""
        self._let_on(more=1)

    def ledger(self, name, what, ids, rows="rows"):
        """Prints the line that scripts/test-all looks for."""
        print(f"\nledger {name}: {self.events} events, {len(self.kinds)} troubles, {self.early} of them in the middle, "
              f"{what}: {len(ids)} {rows}, {len(set(ids))} ids, in {self.took:.1f} s", flush=True)

    def _share(self, number):
        return self.events * number // (len(self.kinds) + (self._ahead or 1))

    def _let_on(self, more=0):
        if self._ahead is not None:
            self._load.allow(self._share(self._made + self._ahead + more))
