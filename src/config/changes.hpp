// What is different between two configurations, and what it takes to have it.
#pragma once

#include "config/options.hpp"

#include <string>
#include <vector>

namespace trackd::config {

struct change {
    std::string key; ///< as errors call it: `http.idle_timeout`, `sinks.NAME.types`, `keys.NAME`
    changed_by takes_effect;

    bool operator==(const change&) const = default;
};

/// The options with another value, in the order of the table, then sinks and keys, which are known by their names: one
/// that came or went is one change.
[[nodiscard]] std::vector<change> changes(const settings& before, const settings& after);

} // namespace trackd::config
