// What all I/O threads have admitted together, for the admin pages.
#pragma once

#include "admin/overview.hpp"
#include "intake/counters.hpp"

#include <deque>
#include <vector>

namespace trackd::service {

/// @param keys gives the names of what the threads counted by number. No key is named `none` or `other`: the
/// configuration refuses it
/// @return what there was; and, so that something is there from the start, what came natively without a key
[[nodiscard]] std::vector<admin::accepted_events>
sum_accepted(const std::deque<intake::counters>& threads, const intake::key_numbers& keys);

/// Every reason, also those that were never met.
[[nodiscard]] std::vector<admin::call_rejections>
sum_rejected_calls(const std::deque<intake::counters>& threads);

} // namespace trackd::service
