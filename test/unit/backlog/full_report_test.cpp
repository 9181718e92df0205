// When the log says that the journal is full, and that it has room again.
#include "backlog/full_report.hpp"
#include "support/captured_log.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using trackd::journal::full_report;
using trackd::journal::write_fullness;
using kind = full_report::kind;

namespace {

struct report_fixture {
    // @return the line that is due now, if there is one
    std::optional<full_report::line> after(std::chrono::seconds time) {
        now += time;
        return report.next(now);
    }

    std::optional<full_report::line> become(bool is_full) {
        report.changed(is_full, now);
        return report.next(now);
    }

    // Every second it is full for a moment.
    std::size_t alternate_for(std::chrono::seconds time) {
        std::size_t lines = 0;
        for (std::chrono::seconds passed{0}; passed < time; passed += 1s) {
            lines += become(true) ? 1U : 0U;
            lines += become(false) ? 1U : 0U;
            lines += after(1s) ? 1U : 0U;
        }
        return lines;
    }

    full_report report;
    full_report::time_point now{1h};
};

} // namespace

TEST_CASE_METHOD(report_fixture, "a journal that has room says nothing", "[full_report]") {
    CHECK_FALSE(after(1000s));
    CHECK(report.due() == full_report::time_point::max());
}

TEST_CASE_METHOD(
    report_fixture, "the first time it is full is said at once, and only once", "[full_report]"
) {
    const auto line = become(true);
    REQUIRE(line);
    CHECK(line->what == kind::full);
    CHECK_FALSE(become(true));
    CHECK_FALSE(after(10'000s));
}

TEST_CASE_METHOD(report_fixture, "room is said once it has lasted", "[full_report]") {
    CHECK(become(true));
    CHECK_FALSE(become(false));
    CHECK(report.due() == now + full_report::settle_time);
    CHECK_FALSE(after(9s));
    const auto line = after(1s);
    REQUIRE(line);
    CHECK(line->what == kind::good);
    CHECK(line->fulls == 0);
    CHECK(line->since == 10s);
    CHECK(report.due() == full_report::time_point::max());
}

TEST_CASE_METHOD(report_fixture, "after lasting room, full is said at once again", "[full_report]") {
    CHECK(become(true));
    CHECK_FALSE(become(false));
    CHECK(after(10s));
    CHECK(become(true)->what == kind::full);
}

TEST_CASE_METHOD(report_fixture, "a condition that alternates is summed up once a minute", "[full_report]") {
    CHECK(alternate_for(59s) == 1);
    const auto line = after(1s);
    REQUIRE(line);
    CHECK(line->what == kind::alternating);
    CHECK(line->fulls == 58);
    CHECK(line->since == 60s);
    CHECK(alternate_for(600s) == 10);
}

TEST_CASE_METHOD(
    report_fixture, "the end of alternating is said, with how often it was full", "[full_report]"
) {
    CHECK(alternate_for(20s) == 1);
    const auto line = after(9s);
    REQUIRE(line);
    CHECK(line->what == kind::good);
    CHECK(line->fulls == 19);
}

TEST_CASE("each line names the reason and the sink that holds the oldest events", "[full_report]") {
    const trackd::test::captured_log log;
    write_fullness({kind::full, 1, 0s}, "no space", "sink a holds");
    write_fullness({kind::alternating, 17, 60s}, "no space", "sink a holds");
    write_fullness({kind::good, 2, 70s}, "no space", "sink a holds");
    CHECK(
        log.lines() ==
        std::vector<std::string>{
            "error journal: full, refusing events until there is room: no space; sink a holds",
            "error journal: full again, 17 times in 60 s: no space; sink a holds",
            "info journal: there is room again; full 2 more times in the last 70 s",
        }
    );
}
