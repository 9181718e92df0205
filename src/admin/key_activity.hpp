// The keys that are in force, and when they were used, as `/status` shows them.
#pragma once

#include <trackd/wall_time.hpp>

#include <boost/json/array.hpp>

#include <optional>
#include <string>
#include <vector>

namespace trackd::admin {

/// One hash of a key, and its uses since the start of the process.
struct key_hash_activity {
    std::string sha256; ///< its first 8 digits
    std::optional<wall_time> first_used;
    std::optional<wall_time> last_used;
};

struct key_activity {
    std::string name;
    std::vector<key_hash_activity> hashes; ///< in the order of the configuration
};

[[nodiscard]] boost::json::array keys_page(const std::vector<key_activity>& keys);

} // namespace trackd::admin
