#include "service/accepted_events.hpp"
#include "support/catch.hpp"
#include "support/manual_clock.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

using namespace trackd;
using intake::wire_format;

namespace {

using sums = std::map<std::pair<std::string, std::string>, std::pair<std::uint64_t, std::uint64_t>>;

struct fixture {
    /// On a thread of that number.
    void count(std::size_t thread, const std::string& key, wire_format format, std::uint64_t events) {
        intake::key_options options;
        options.name = key;
        const intake::key caller{options, numbers.of(key), nullptr, {}, time};
        threads.at(thread).accepted.add(&caller, format, events, 10 * events);
    }

    sums sum() const {
        sums all;
        for (const auto& one : service::sum_accepted(threads, numbers)) {
            const auto [at, is_new] =
                all.emplace(std::pair{one.key, std::string{one.format}}, std::pair{one.events, one.bytes});
            CHECK(is_new);
        }
        return all;
    }

    test::manual_clock time;
    intake::key_numbers numbers;
    std::deque<intake::counters> threads{3};
};

} // namespace

TEST_CASE("what all threads have admitted is summed by key and format", "[service]") {
    fixture f;
    f.count(0, "web", wire_format::native, 1);
    f.count(1, "web", wire_format::native, 2);
    f.count(2, "web", wire_format::pixel, 4);
    f.count(2, "shop", wire_format::native, 8);
    f.threads.at(1).accepted.add(nullptr, wire_format::segment, 16, 17);
    CHECK(
        f.sum() ==
        sums{
            {{"none", "native"}, {0, 0}},
            {{"none", "segment"}, {16, 17}},
            {{"shop", "native"}, {8, 80}},
            {{"web", "native"}, {3, 30}},
            {{"web", "pixel"}, {4, 40}}
        }
    );
}

TEST_CASE("keys that are too many are summed as one, and so are those that are called so", "[service]") {
    fixture f;
    f.count(0, "other", wire_format::native, 1);
    f.count(0, "none", wire_format::native, 2);
    f.threads.at(1).accepted.add(nullptr, wire_format::native, 4, 40);
    for (std::size_t i = 0; i < 2 * intake::key_numbers::most; ++i)
        f.count(i % 3, "k" + std::to_string(i), wire_format::native, 1);
    const auto all = f.sum();
    CHECK(all.size() == intake::key_numbers::most); // `none` and `other` are two of these
    CHECK(all.at({"none", "native"}).first == 6);
    CHECK(all.at({"other", "native"}).first == intake::key_numbers::most + 2 + 1);
}
