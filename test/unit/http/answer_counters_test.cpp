#include "http/answer_counters.hpp"
#include "support/catch.hpp"

#include <map>
#include <string>
#include <utility>

using namespace trackd::http;

namespace {

std::map<unsigned, std::uint64_t> all(const answer_counters& counters) {
    std::map<unsigned, std::uint64_t> counts;
    counters.each([&](unsigned status, std::uint64_t count) { counts[status] += count; });
    return counts;
}

} // namespace

TEST_CASE("answers are counted by status", "[http]") {
    answer_counters counters;
    CHECK(all(counters).empty());
    for (const auto status : {201U, 400U, 201U, 503U, 201U})
        counters.add(status);
    CHECK(all(counters) == std::map<unsigned, std::uint64_t>{{201, 3}, {400, 1}, {503, 1}});
}

TEST_CASE("statuses that are too many are counted together, and the others go on", "[http]") {
    answer_counters counters;
    for (unsigned status = 200; status < 200 + answer_counters::most_statuses + 5; ++status)
        counters.add(status);
    counters.add(200);
    const auto counts = all(counters);
    CHECK(counts.size() == answer_counters::most_statuses + 1);
    CHECK(counts.at(200) == 2);
    CHECK(counts.at(answer_counters::other) == 5);
}

TEST_CASE("routes are counted apart, and only those that were used are shown", "[http]") {
    route_counters counters{{"none", "/a", "/b", "/c"}};
    counters.add(0, 404);
    counters.add(2, 201);
    counters.add(2, 201);
    std::map<std::pair<std::string, unsigned>, std::uint64_t> counts;
    counters.each([&](std::string_view route, unsigned status, std::uint64_t count) {
        counts[{std::string{route}, status}] = count;
    });
    CHECK(
        counts ==
        std::map<std::pair<std::string, unsigned>, std::uint64_t>{{{"none", 404}, 1}, {{"/b", 201}, 2}}
    );
    CHECK(counters.of(201) == 2);
    CHECK(counters.of(500) == 0);
}
