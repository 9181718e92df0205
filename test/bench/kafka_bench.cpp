// How fast the kafka sink produces events, beside kcat, which reads the same rows from a file and gives them to the same
// library with the same promises (idempotent, acks=all).
//
//     kafka_bench BROKERS TOPIC DIRECTORY [ROWS [ROUNDS]]
//
// Both run in turn; printed are medians, the broker's own processor time not counted. kcat's messages have as many
// headers of the same size, which it does not have to make. Run by kafka_bench.py, which has a broker.
#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "measuring.hpp"
#include "sink_rows.hpp"
#include "sinks/kafka.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using namespace trackd;
using namespace trackd::bench;

void write_lines(const std::filesystem::path& path, const std::vector<row>& rows) {
    std::ofstream out{path};
    for (const auto& each : rows)
        out << source << '\t' << each.data << '\n';
}

void run_sink(const std::string& brokers, const std::string& topic, const std::vector<row>& rows) {
    sinks::kafka_options options;
    options.brokers = {brokers};
    options.topic = topic;
    const auto sink = sinks::make_kafka_sink(std::move(options), base::log());
    write_rows(*sink, rows);
}

void run_kcat(
    const std::string& brokers, const std::string& topic, const std::filesystem::path& lines, const row& like
) {
    std::string time;
    base::append_rfc3339(time, like.time);
    const auto command =
        "kcat -q -P -b " + brokers + " -t " + topic +
        " -X enable.idempotence=true -X acks=all -K '\t' -H ce_specversion=1.0 -H ce_id=" + like.id +
        " -H ce_source=" + source + " -H ce_type=" + type + " -H ce_time=" + time +
        " -H ce_receivedat=" + time + " -H content-type=application/json -l '" + lines.string() + "'";
    if (std::system(command.c_str()) != 0) throw std::runtime_error{"this failed: " + command};
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs("usage: kafka_bench BROKERS TOPIC DIRECTORY [ROWS [ROUNDS]]\n", stderr);
        return 2;
    }
    const std::string brokers = argv[1];
    const std::string topic = argv[2];
    const auto lines = std::filesystem::path{argv[3]} / "kafka_bench.lines";
    const std::size_t count = argc > 4 ? std::stoul(argv[4]) : 400'000;
    const int rounds = argc > 5 ? std::stoi(argv[5]) : 5;

    const auto rows = make_rows(count);
    write_lines(lines, rows);
    figures sink;
    figures kcat;
    for (int round = 0; round < rounds; ++round) {
        measure(sink, count, [&] { run_sink(brokers, topic, rows); });
        measure(kcat, count, [&] { run_kcat(brokers, topic, lines, rows.front()); });
    }
    print_head();
    print("kafka sink", sink);
    print("kcat", kcat);
}
