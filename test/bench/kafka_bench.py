#!/usr/bin/env python3
"""How fast the kafka sink produces events, beside two other producers, into the broker of test/support/kafka.py.

    test/bench/kafka_bench.py BUILD_TREE [--rows 400000] [--rounds 5]

Runs kafka_bench, which compares the sink with kcat, and then, with the same rows, Kafka's own kafka-producer-perf-test, whose
summary it prints. All share the machine's processors with the broker: what compares is the processor time.
"""
import pathlib
import subprocess
import sys

import sink_measuring

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.kafka import Broker  # noqa: E402


def main():
    given = sink_measuring.arguments(__doc__)
    broker = Broker("log.retention.bytes=268435456\nlog.segment.bytes=67108864\n")
    try:
        broker.create_topic("bench")
        subprocess.run([given.build_tree / "test/bench/kafka_bench", broker.address, "bench", broker.directory,
                        str(given.rows), str(given.rounds)], check=True)
        said = broker.run("org.apache.kafka.tools.ProducerPerformance", "--topic", "bench", "--num-records", given.rows,
                          "--throughput", -1, "--payload-file", broker.directory / "kafka_bench.lines",
                          "--producer-props", f"bootstrap.servers={broker.address}", "acks=all",
                          "enable.idempotence=true")
        print("kafka-producer-perf-test:", said.strip().splitlines()[-1])
    finally:
        broker.close()


if __name__ == "__main__":
    main()
