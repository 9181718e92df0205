// From the tree that was written to settings, by the table of options.
#pragma once

#include "config/problems.hpp"
#include "config/settings.hpp"
#include "config/value.hpp"

#include <map>
#include <set>
#include <string>

namespace trackd::config {

/// Which options were set, and where. Those of sinks and keys are called as errors show
/// them: `sinks.NAME.path`, `keys.NAME.sha256`.
using origins = std::map<std::string, origin, std::less<>>;

struct reading {
    settings result;
    origins where;
    std::set<std::string, std::less<>> wrong; ///< of these the ones that were refused; their defaults stand
};

/// Takes what is right, and reports all unknown keys, wrong types and impossible values.
[[nodiscard]] reading read(const table& root, problems& found);

/// What errors call the sink, and its key: `sinks.NAME`.
[[nodiscard]] std::string sink_key(const sink_settings& sink);

/// The same for a key: `keys.NAME`.
[[nodiscard]] std::string key_key(const key_settings& key);

} // namespace trackd::config
