#include "base/distribution_counter.hpp"
#include "support/catch.hpp"

#include <vector>

using trackd::base::distribution_counter;

namespace {

std::vector<std::uint64_t> counts(const trackd::distribution& of) {
    std::vector<std::uint64_t> all;
    for (const auto& bucket : of.buckets)
        all.push_back(bucket.count);
    all.push_back(of.larger);
    return all;
}

} // namespace

TEST_CASE("a figure counts in the first bucket that it is not too large for", "[base]") {
    distribution_counter<3> counter{{1, 10, 100}};
    for (const auto figure : {0, 1, 2, 10, 11, 100, 101, 5000})
        counter.add(static_cast<std::uint64_t>(figure));
    const auto read = counter.read();
    CHECK(counts(read) == std::vector<std::uint64_t>{2, 2, 2, 2});
    CHECK(read.sum == 5225);
}

TEST_CASE("a distribution is read in another unit than it is counted in", "[base]") {
    distribution_counter<2> counter{{500, 1'000'000}};
    counter.add(1'500'000);
    const auto read = counter.read(1e6);
    CHECK(read.buckets.at(0).at_most == 0.0005);
    CHECK(read.buckets.at(1).at_most == 1);
    CHECK(read.sum == 1.5);
}
