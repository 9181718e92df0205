#include "file_lives.hpp"
#include "support/captured_log.hpp"

using namespace trackd;
using namespace std::chrono_literals;
using test::ids_in;
using test::line_bytes;

namespace fs = std::filesystem;

namespace {

using ids = std::vector<std::string>;

// A directory, a wall clock that is turned by hand, and one file sink after the other.
struct rotation {
    test::temporary_directory directory;
    fs::path path = directory / "events.jsonl";
    wall_time now = test::noon;
    std::chrono::nanoseconds since_boot{1h};

    // Both clocks go on.
    void wait(std::chrono::seconds time) {
        now += time;
        since_boot += time;
    }

    std::unique_ptr<sink> open(sinks::file_options options) {
        options.path = path;
        auto sink = sinks::make_file_sink(options, [this] { return now; }, [this] { return since_boot; });
        sink->open();
        return sink;
    }

    // The ids in each closed file, oldest first.
    [[nodiscard]] std::vector<ids> closed() const {
        std::vector<ids> all;
        for (const auto& file : sinks::rotated_files{path}.list())
            all.push_back(ids_in(file));
        return all;
    }

    [[nodiscard]] ids names() const {
        ids all;
        for (const auto& file : sinks::rotated_files{path}.list())
            all.push_back(file.filename().string());
        return all;
    }
};

} // namespace

TEST_CASE("a file is closed before it grows beyond its size", "[sinks][file][rotation]") {
    rotation files;
    const auto sink = files.open({.rotate_bytes = 2 * line_bytes()});
    test::write_all(*sink, test::numbered_events{5});
    CHECK(files.closed() == std::vector<ids>{ids{"1", "2"}, ids{"3", "4"}});
    CHECK(ids_in(files.path) == ids{"5"});
    test::write_all(*sink, test::numbered_events{1, 6}); // fits exactly
    test::write_all(*sink, test::numbered_events{1, 7});
    CHECK(files.closed().size() == 3);
    CHECK(ids_in(files.path) == ids{"7"});
}

TEST_CASE("an event larger than a file may be gets one of its own", "[sinks][file][rotation]") {
    rotation files;
    const auto sink = files.open({.rotate_bytes = line_bytes()});
    const std::string large(1000, 'x');
    const std::vector events{
        test::make_event("1"), test::make_event("2", large, data_kind::text), test::make_event("3")
    };
    test::write_all(*sink, events);
    CHECK(files.closed() == std::vector<ids>{ids{"1"}, ids{"2"}});
    CHECK(ids_in(files.path) == ids{"3"});
}

TEST_CASE("closed files are named after the moment, uniquely and in order", "[sinks][file][rotation]") {
    rotation files;
    const auto sink = files.open({.rotate_bytes = 1});
    test::write_all(*sink, test::numbered_events{2});
    files.now -= 1h; // the wall clock is set back
    test::write_all(*sink, test::numbered_events{1, 3});
    files.now += 2h;
    test::write_all(*sink, test::numbered_events{1, 4});
    CHECK(
        files.names() ==
        ids{
            "events-20261121T120000.000250Z.jsonl",
            "events-20261121T120000.000251Z.jsonl",
            "events-20261121T130000.000250Z.jsonl",
        }
    );
    CHECK(files.closed() == std::vector<ids>{ids{"1"}, ids{"2"}, ids{"3"}});
}

TEST_CASE("a file is closed when its first event is old enough", "[sinks][file][rotation]") {
    rotation files;
    const auto sink = files.open({.rotate_every = 1h});
    files.wait(24h); // nothing was written yet: the file has no age
    test::write_all(*sink, test::numbered_events{1});
    files.wait(59min);
    test::write_all(*sink, test::numbered_events{1, 2});
    CHECK(files.closed().empty());
    files.wait(1min);
    test::write_all(*sink, test::numbered_events{1, 3});
    CHECK(files.closed() == std::vector<ids>{ids{"1", "2"}});
    CHECK(ids_in(files.path) == ids{"3"});
    files.wait(59min);
    test::write_all(*sink, test::numbered_events{1, 4});
    CHECK(files.closed().size() == 1);
}

TEST_CASE("a file keeps its age over a restart", "[sinks][file][rotation]") {
    rotation files;
    files.now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    test::write_all(*files.open({.rotate_every = 1h}), test::numbered_events{1});
    files.wait(50min);
    const auto sink = files.open({.rotate_every = 1h});
    test::write_all(*sink, test::numbered_events{1, 2});
    CHECK(files.closed().empty());
    files.wait(11min);
    test::write_all(*sink, test::numbered_events{1, 3});
    CHECK(files.closed() == std::vector<ids>{ids{"1", "2"}});
}

TEST_CASE(
    "closed files keep their order and the newest are kept, whatever the clock does",
    "[sinks][file][rotation]"
) {
    const auto jump = GENERATE(
        std::chrono::seconds{24h * 400}, std::chrono::seconds{1h}, std::chrono::seconds{-1h},
        std::chrono::seconds{-24h * 400}
    );
    const bool restarted = GENERATE(false, true);
    INFO("a jump of " << jump.count() << " s" << (restarted ? ", with restarts" : ""));
    rotation files;
    const sinks::file_options options{.rotate_bytes = 1, .keep_files = 3};
    auto sink = files.open(options);
    const auto write = [&](std::size_t first, std::size_t count) {
        if (restarted) sink = files.open(options);
        test::write_all(*sink, test::numbered_events{count, first});
    };
    write(1, 3);
    files.now += jump;
    write(4, 2);
    CHECK(files.closed() == std::vector<ids>{ids{"2"}, ids{"3"}, ids{"4"}});
    files.wait(60s);
    files.now -= jump;
    write(6, 2);
    CHECK(files.closed() == std::vector<ids>{ids{"4"}, ids{"5"}, ids{"6"}});
    CHECK(ids_in(files.path) == ids{"7"});
}

TEST_CASE("a jump of the clock closes no file, and keeps none open", "[sinks][file][rotation]") {
    const auto jump = GENERATE(
        std::chrono::seconds{24h * 400}, std::chrono::seconds{1h}, std::chrono::seconds{-1h},
        std::chrono::seconds{-24h * 400}
    );
    INFO("a jump of " << jump.count() << " s");
    rotation files;
    const auto sink = files.open({.rotate_every = 1h});
    test::write_all(*sink, test::numbered_events{1});
    files.now += jump;
    files.wait(1s);
    test::write_all(*sink, test::numbered_events{1, 2});
    CHECK(files.closed().empty());
    files.now -= jump;
    files.wait(1h);
    test::write_all(*sink, test::numbered_events{1, 3});
    CHECK(files.closed() == std::vector<ids>{ids{"1", "2"}});
    files.now += jump;
    files.wait(1h);
    test::write_all(*sink, test::numbered_events{1, 4});
    CHECK(files.closed() == std::vector<ids>{ids{"1", "2"}, ids{"3"}});
}

TEST_CASE("a file from the future is closed one period after the restart", "[sinks][file][rotation]") {
    rotation files; // whose clock stands before the making of the file
    files.now = test::noon - 24h * 3650;
    test::write_all(*files.open({.rotate_every = 1h}), test::numbered_events{1});
    const auto sink = files.open({.rotate_every = 1h});
    test::write_all(*sink, test::numbered_events{1, 2});
    files.wait(59min);
    test::write_all(*sink, test::numbered_events{1, 3});
    CHECK(files.closed().empty());
    files.wait(1min);
    test::write_all(*sink, test::numbered_events{1, 4});
    CHECK(files.closed() == std::vector<ids>{ids{"1", "2", "3"}});
}

TEST_CASE("a suspended machine's files grow older", "[sinks][file][rotation]") {
    rotation files;
    const auto sink = files.open({.rotate_every = 1h});
    test::write_all(*sink, test::numbered_events{1});
    files.wait(2h); // the time since boot counts it
    test::write_all(*sink, test::numbered_events{1, 2});
    CHECK(files.closed() == std::vector<ids>{ids{"1"}});
}

TEST_CASE(
    "a name from the future is said once, and once it is renamed names follow the clock",
    "[sinks][file][rotation]"
) {
    const test::captured_log lines;
    rotation files;
    const auto sink = files.open({.rotate_bytes = 1});
    files.now += 24h * 400;
    test::write_all(*sink, test::numbered_events{2});
    CHECK(lines.lines("a name from the future").size() == 0);
    files.now -= 24h * 400;
    test::write_all(*sink, test::numbered_events{2, 3});
    CHECK(lines.lines("a name from the future").size() == 1);
    for (const auto& file : sinks::rotated_files{files.path}.list()) {
        auto name = file.filename().string();
        fs::rename(file, files.directory / name.replace(name.find("2027"), 4, "2025"));
    }
    test::write_all(*sink, test::numbered_events{1, 5});
    CHECK(files.names().back() == "events-20261121T120000.000250Z.jsonl");
    CHECK(files.closed() == std::vector<ids>{ids{"1"}, ids{"2"}, ids{"3"}, ids{"4"}});
}

TEST_CASE("a file keeps its size over a restart", "[sinks][file][rotation]") {
    rotation files;
    const auto bytes = 2 * line_bytes();
    test::write_all(*files.open({.rotate_bytes = bytes}), test::numbered_events{1});
    test::write_all(*files.open({.rotate_bytes = bytes}), test::numbered_events{2, 2});
    CHECK(files.closed() == std::vector<ids>{ids{"1", "2"}});
}

TEST_CASE("only so many closed files are kept, and nothing else is removed", "[sinks][file][rotation]") {
    rotation files;
    const ids others{
        "events-.jsonl",
        "events-20261121T120000.000250Z.jsonl.gz",
        "events-20269921T120000.000250Z.jsonl",
        "events-2026-11-21T120000.00025Z.jsonl",
        "events-old-20261121T120000.000250Z.jsonl",
        "events.jsonl.1",
        "other-20261121T120000.000250Z.jsonl"
    };
    for (const auto& name : others)
        test::write_file(files.directory / name, "");
    const auto sink = files.open({.rotate_bytes = 1, .keep_files = 2});
    test::write_all(*sink, test::numbered_events{6});
    CHECK(files.closed() == std::vector<ids>{ids{"4"}, ids{"5"}});
    CHECK(ids_in(files.path) == ids{"6"});
    for (const auto& name : others)
        CHECK(fs::exists(files.directory / name));
}

TEST_CASE("a closed file is never overwritten, also after a restart", "[sinks][file][rotation]") {
    rotation files;
    for (int i = 0; i < 5; ++i) { // each restart finds the clock where it was
        test::write_all(
            *files.open({.rotate_bytes = 1}), test::numbered_events{2, static_cast<std::size_t>(2 * i)}
        );
    }
    CHECK(files.closed().size() == 9);
}

TEST_CASE("a full disk in the middle of a rotation loses nothing", "[sinks][file][rotation]") {
    rotation files;
    const auto bytes = line_bytes();
    const auto sink = files.open({.rotate_bytes = bytes});
    {
        const test::file_size_limit full{bytes / 2};
        CHECK_THROWS(test::write_all(*sink, test::numbered_events{3}));
        CHECK(fs::file_size(files.path) == 0);
    }
    test::write_all(*sink, test::numbered_events{3});
    CHECK(files.closed() == std::vector<ids>{ids{"1"}, ids{"2"}});
    CHECK(ids_in(files.path) == ids{"3"});
}

TEST_CASE("a file without an extension is rotated, too", "[sinks][file][rotation]") {
    rotation files;
    files.path = files.directory / "events";
    test::write_all(*files.open({.rotate_bytes = 1}), test::numbered_events{2});
    CHECK(files.names() == ids{"events-20261121T120000.000250Z"});
}
