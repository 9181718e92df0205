// A sink that is not configured any more lets go of its segments while the journal runs.
#include "support/catch.hpp"
#include "support/faulty_files.hpp"
#include "support/simulated_disk.hpp"
#include "unit/backlog/journal_run.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;
using test::faulty_files;
using test::operation;

namespace {

using strings = std::vector<std::string>;

// Leaves a journal in which `first` has all but five events, and `second`, removed afterwards, has none.
struct removed_sink {
    removed_sink() {
        test::journal_run run{place.options, *disk, made};
        while (run.journal().journal()->segments < 4)
            REQUIRE(run.store(20));
        end = run.journal().stored_end();
        run.move("first", end - 5);
        run.close();
    }

    test::journal_place place;
    std::unique_ptr<test::simulated_disk> disk = place.new_disk();
    test::promises made;
    position end = 0;
};

std::uint64_t segments(test::journal_run& of) {
    return of.journal().journal()->segments;
}

} // namespace

TEST_CASE_METHOD(removed_sink, "a removed sink that is forgotten frees its segments, for good", "[forget]") {
    {
        test::journal_run run{place.options, *disk, made, {"first"}};
        CHECK(run.journal().removed_sinks() == strings{"second"});
        CHECK(segments(run) >= 4);
        CHECK(run.forget("second") == end - 1);
        CHECK(segments(run) == 1);
        CHECK(run.journal().removed_sinks().empty());
        CHECK(run.forget("second") == 0);
        REQUIRE(run.store(3));
        CHECK(run.read_all(run.journal().stored_end()).empty());
        run.close();
    }
    test::journal_run again{place.options, *disk, made, {"first"}};
    CHECK(again.journal().removed_sinks().empty());
    CHECK(again.cursor_of("first").at == end - 5);
    CHECK(again.read_all(end + 3).empty());
}

TEST_CASE_METHOD(removed_sink, "a configured sink is not forgotten", "[forget]") {
    test::journal_run run{place.options, *disk, made};
    CHECK(run.journal().removed_sinks().empty());
    CHECK(run.forget("second") == 0);
    CHECK(segments(run) >= 4);
    CHECK(run.read_all(end).empty());
}

TEST_CASE_METHOD(removed_sink, "a journal that a removed sink has filled takes events again", "[forget]") {
    place.options.max_bytes = 6 * place.options.segment_bytes;
    test::journal_run run{place.options, *disk, made, {"first"}};
    int stored = 0;
    while (stored < 10'000 && run.store(20))
        ++stored;
    REQUIRE(run.condition() == backlog_condition::full);
    run.move("first", run.journal().stored_end());
    run.pass(2s);
    CHECK(run.condition() == backlog_condition::full);
    CHECK(run.forget("second") > 0);
    run.wait([&] { return run.condition() == backlog_condition::good; });
    CHECK(run.store(20));
}

TEST_CASE_METHOD(removed_sink, "no crash while a sink is forgotten costs another sink an event", "[forget]") {
    faulty_files files{*disk};
    std::vector<test::disk_image> moments;
    {
        test::journal_run run{place.options, files, made, {"first"}};
        files.before_each([&](const faulty_files::call&) { moments.push_back(disk->snapshot()); });
        CHECK(run.forget("second") > 0);
        files.before_each({});
    }
    moments.push_back(disk->snapshot());
    REQUIRE(moments.size() > 5);
    for (const auto& moment : moments) {
        for (std::uint64_t seed = 0; seed < 6; ++seed) {
            const auto after = moment.after_power_cut(seed);
            test::journal_run run{place.options, *after, made, {"first"}};
            REQUIRE(run.cursor_of("first").at <= end - 5);
            REQUIRE(run.read_all(end) == "");
            REQUIRE((run.journal().removed_sinks().empty() || run.forget("second") == end - 1));
            REQUIRE(segments(run) == 1);
        }
    }
}

TEST_CASE_METHOD(removed_sink, "what is forgotten is written down once the disk allows it", "[forget]") {
    faulty_files files{*disk};
    test::journal_run run{place.options, files, made, {"first"}};
    files.fail({operation::write, files.count(operation::write) + 1, EIO, true, false});
    CHECK_THROWS_WITH(run.forget("second"), Catch::Contains("cursors"));
    CHECK(segments(run) >= 4);
    CHECK(run.journal().removed_sinks().empty());
    files.heal();
    run.wait([&] {
        run.pass(2s);
        return segments(run) == 1;
    });
    CHECK(run.read_all(end).empty());
}
