// The uses of the keys, from the intake to the admin pages.
#pragma once

#include "admin/key_activity.hpp"
#include "intake/keys.hpp"

#include <vector>

namespace trackd::service {

/// @param ring null: there are no keys
/// @return the keys in force, in the order of the configuration
[[nodiscard]] std::vector<admin::key_activity> list_keys(const intake::key_ring* ring);

} // namespace trackd::service
