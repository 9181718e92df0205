"""What one request makes the daemon do does not grow unnoticed: numbers without a clock.

Held is the least that any of many requests takes: others take more, where a timer or another buffer is due just then, or
where the threads of tracker and sink come in another order.
"""
import os
import unittest

from bench import counting

ROUNDS = 300
TOGETHER = 64  # connections
# What it is today, of one request that comes alone, and of 64 that come together. Whoever makes it less lowers these;
# the aim is 3 and 0 a request.
SYSTEM_CALLS = {1: 10, TOGETHER: 3 * TOGETHER + 7}
ALLOCATIONS = {1: 17, TOGETHER: 17}

ATTEMPTS = 5  # a busy machine only ever adds, so the first that has such a round will do


def least(count, most, of):
    """The least that any round takes, of so many attempts at most."""
    found = []
    for _ in range(ATTEMPTS):
        found.append(min(count(), key=of))
        if of(found[-1]) <= most:
            break
    return min(found, key=of)


class RequestCosts(unittest.TestCase):
    def test_system_calls_of_a_request(self):
        for connections, most in SYSTEM_CALLS.items():
            with self.subTest(connections=connections):
                rounds = ROUNDS // connections + 20
                calls = least(lambda: counting.system_calls(rounds, connections), most, lambda each: each.total())
                print(f"system calls of {connections}: {calls.total()} {dict(calls)}", flush=True)
                self.assertTrue({"epoll_wait", "recvfrom", "sendto"} <= set(calls), calls)
                self.assertLessEqual(calls.total(), most, calls)

    def test_allocations_of_a_request(self):
        library = os.environ["ALLOCATION_COUNTER"]
        for connections, most in ALLOCATIONS.items():
            with self.subTest(connections=connections):
                rounds = ROUNDS // connections + 20
                allocations = least(lambda: counting.allocations(rounds, library, connections), most, lambda each: each)
                print(f"allocations of {connections}: {allocations}", flush=True)
                self.assertGreater(allocations, 0)  # else nothing was counted, or the aim is reached
                self.assertLessEqual(allocations, most)
