// How fast the file sink writes lines, beside `cp` of the same lines and a `sync` of the copy.
//
//     file_bench [DIRECTORY [ROWS [ROUNDS]]]
//
// They run in turn, on one thread each; printed are medians. cp reads what the sink has just written, which the page cache
// holds, renders nothing, and is synced once, as the sink is with `sync = false`; otherwise the sink syncs after every 2000
// rows, as its delivery makes it.
#include "measuring.hpp"
#include "sink_rows.hpp"
#include "sinks/file.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace {

namespace fs = std::filesystem;
using namespace trackd;
using namespace trackd::bench;

void run_sink(const fs::path& path, const std::vector<row>& rows, bool sync) {
    const auto sink = sinks::make_file_sink({.path = path, .sync = sync});
    write_rows(*sink, rows);
}

void run_cp(const fs::path& from, const fs::path& to) {
    const auto command = "cp --reflink=never '" + from.string() + "' '" + to.string() + "' && sync --data '" +
                         to.string() + "'";
    if (std::system(command.c_str()) != 0) throw std::runtime_error{"this failed: " + command};
}

} // namespace

int main(int argc, char** argv) {
    const fs::path directory = fs::absolute(argc > 1 ? argv[1] : ".");
    const std::size_t count = argc > 2 ? std::stoul(argv[2]) : 400'000;
    const int rounds = argc > 3 ? std::stoi(argv[3]) : 5;
    const auto lines = directory / "file_bench.jsonl";
    const auto copy = directory / "file_bench.copy";

    const auto rows = make_rows(count);
    figures sink;
    figures unsynced;
    figures cp;
    for (int round = 0; round < rounds; ++round) {
        fs::remove(lines);
        measure(unsynced, count, [&] { run_sink(lines, rows, false); });
        fs::remove(lines);
        measure(sink, count, [&] { run_sink(lines, rows, true); });
        fs::remove(copy);
        measure(cp, count, [&] { run_cp(lines, copy); });
    }
    fs::remove(lines);
    fs::remove(copy);
    print_head();
    print("file sink", sink);
    print("file sink, sync = false", unsynced);
    print("cp, sync", cp);
}
