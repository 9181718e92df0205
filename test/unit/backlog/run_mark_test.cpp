// How the last run ended, by the mark that it left: clean is never said of one that was not.
#include "backlog/found_events.hpp"
#include "backlog/run_mark.hpp"
#include "support/catch.hpp"
#include "support/faulty_files.hpp"
#include "support/simulated_disk.hpp"

#include <chrono>
#include <string>
#include <system_error>

using namespace trackd;
using namespace trackd::journal;
using test::operation;

namespace {

const std::filesystem::path directory = "/disk";

constexpr base::file_birth birth{7, 100};
constexpr base::file_birth of_a_copy{8, 200};
constexpr base::file_birth of_a_copy_with_its_inode{7, 200};

run_mark mark_in(file_system& files, base::file_birth born = birth) {
    return {files, directory, [born](const auto&) { return born; }};
}

bool begin(file_system& files) {
    try {
        mark_in(files).begin();
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

bool end(file_system& files, position next) {
    try {
        mark_in(files).end(next);
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

} // namespace

TEST_CASE("a directory without a mark is new, or its last run is unknown", "[backlog][run_mark]") {
    test::simulated_disk disk;
    CHECK(mark_in(disk).read(1, false) == run_end::first_start);
    CHECK(mark_in(disk).read(1, true) == run_end::unknown);
}

TEST_CASE("a run that has not said that it ended was killed", "[backlog][run_mark]") {
    test::simulated_disk disk;
    mark_in(disk).begin();
    CHECK(mark_in(disk).read(1, true) == run_end::killed);
    CHECK(mark_in(disk, of_a_copy).read(1, true) == run_end::unknown);
    CHECK(mark_in(disk, of_a_copy_with_its_inode).read(1, true) == run_end::unknown);
    mark_in(disk).end(6);
    CHECK(mark_in(disk).read(6, true) == run_end::clean);
    CHECK(mark_in(disk, of_a_copy).read(6, true) == run_end::clean);
    CHECK(mark_in(disk).read(7, true) == run_end::unknown); // another run has stored events since
    mark_in(disk).begin();
    CHECK(mark_in(disk).read(6, true) == run_end::killed);
}

TEST_CASE("what is no mark says nothing", "[backlog][run_mark]") {
    test::simulated_disk disk;
    for (const std::string text : {"", "trackd run 1\n", "trackd run 2\nclean next=6\nchecksum=00000000\n"}) {
        const auto open = disk.open(directory / "last_run", open_mode::create);
        if (!text.empty()) write_fully(*open, 0, text);
        CHECK(mark_in(disk).read(6, true) == run_end::unknown);
        disk.remove(directory / "last_run");
    }
}

TEST_CASE("the mark needs no room once it is there", "[backlog][run_mark]") {
    test::simulated_disk disk;
    mark_in(disk).begin();
    disk.limit(disk.used());
    mark_in(disk).end(6);
    CHECK(mark_in(disk).read(6, true) == run_end::clean);
    mark_in(disk).begin();
    CHECK(mark_in(disk).read(6, true) == run_end::killed);
}

TEST_CASE("a full disk leaves no mark", "[backlog][run_mark]") {
    test::simulated_disk disk;
    disk.limit(0);
    CHECK(!begin(disk));
    CHECK(disk.list(directory).empty());
    CHECK(!end(disk, 6));
    CHECK(mark_in(disk).read(6, true) == run_end::unknown);
}

// Each operation of two runs fails, or the power is cut after it. Once the second one has begun, its end is never clean
// before it said so.
TEST_CASE("no fault makes an unclean end a clean one", "[backlog][run_mark]") {
    for (std::uint64_t number = 1; number <= 20; ++number) {
        test::simulated_disk disk;
        test::faulty_files files{disk};
        files.fail({.kind = {}, .number = number, .lasting = false});
        begin(files);
        const bool ended = end(files, 6);
        INFO("operation " << number);
        for (std::uint64_t seed = 0; seed < 8; ++seed)
            if (ended) CHECK(mark_in(*disk.after_power_cut(seed)).read(6, true) == run_end::clean);
        begin(files);
        for (std::uint64_t seed = 0; seed < 8; ++seed) {
            const auto after = disk.after_power_cut(seed);
            CHECK(mark_in(*after).read(9, true) != run_end::clean);
        }
    }
}

TEST_CASE("a power cut after a start never shows the clean stop before it", "[backlog][run_mark]") {
    test::simulated_disk disk;
    mark_in(disk).begin();
    mark_in(disk).end(6);
    mark_in(disk).begin();
    for (std::uint64_t seed = 0; seed < 8; ++seed)
        CHECK(mark_in(*disk.after_power_cut(seed)).read(6, true) == run_end::killed);
}

TEST_CASE("one line says what the journal held", "[backlog][run_mark]") {
    using namespace std::chrono_literals;
    CHECK(describe({}, 0) == "journal: new and empty, this is the first start");
    CHECK(describe({.last_run = run_end::clean}, 0) == "journal: no events; last run: clean stop");
    const journal_found some{run_end::killed, 7, 4096, wall_time{1s}};
    CHECK(
        describe(some, 12) ==
        "journal: 7 events, 4096 bytes, oldest received 1970-01-01T00:00:01.000000Z; last run: killed (no "
        "clean "
        "stop: SIGKILL, a crash or a power cut); torn tail: 12 bytes of an unfinished commit are set aside"
    );
    CHECK(
        describe({run_end::unknown, 7, 4096, {}}, 0) ==
        "journal: 7 events, 4096 bytes; last run: unknown (no mark of its end: an older version, or a copied "
        "directory)"
    );
}
