// The log names what a route filters, once for each type.
#include "support/captured_log.hpp"
#include "support/catch.hpp"
#include "tracker/filter_log.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace trackd;

namespace {

struct fixture {
    void write(const std::vector<std::string>& types) {
        std::vector<event_view> events;
        for (const auto& type : types) {
            auto& event = events.emplace_back();
            event.type = type;
            event.source = "shop";
        }
        names.write("archive", events, wanted, now);
    }

    filter_log names;
    route wanted{patterns{{"order.*"}}, {}};
    clock::time_point now{1h};
};

} // namespace

TEST_CASE_METHOD(fixture, "the first event of each type is named", "[tracker][route]") {
    test::captured_log log;
    write({"order.paid", "debug\n", "debug\n", "page"});
    REQUIRE(log.lines().size() == 2);
    CHECK(log.lines().front().starts_with(
        R"(info sink archive: its route filters an event, type="debug\n" source="shop"; more)"
    ));
    now += 5s;
    write({"other"}); // too soon
    CHECK(log.lines().size() == 2);
    now += 5s;
    write({"page", "other"});
    CHECK(log.lines().size() == 3);
    now += 1h;
    write({"page"});
    CHECK(log.lines(R"(type="page")").size() == 2);
}

TEST_CASE_METHOD(fixture, "twenty types are named in an hour", "[tracker][route]") {
    test::captured_log log;
    std::vector<std::string> types;
    for (int i = 0; i < 30; ++i)
        types.push_back(std::to_string(i));
    write(types);
    now += 10min;
    write({"another"});
    CHECK(log.lines().size() == 20);
}
