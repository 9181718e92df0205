// How a figure was distributed: how often it was at most so large.
#pragma once

#include <cstdint>
#include <vector>

namespace trackd {

/// A value, as of one moment.
struct distribution {
    struct bucket {
        double at_most = 0;
        std::uint64_t count = 0; ///< of those that no earlier bucket has
    };

    std::vector<bucket> buckets; ///< `at_most` rises
    std::uint64_t larger = 0;    ///< than all of them
    double sum = 0;              ///< of all figures
};

} // namespace trackd
