#include "intake/client_clocks.hpp"

#include <algorithm>
#include <utility>

namespace trackd::intake {

client_clocks::duration client_clocks::correct(std::uint64_t sender, duration shift) {
    if (shift < -tolerance) return shift; // no body arrives before it was sent
    const auto error = smallest(sender, std::max(shift, duration{0}));
    if (error < least_error) return duration{0};
    const bool can_be_outage = error <= longest_outage && error > clock_.now() - started_;
    return can_be_outage ? duration{0} : error;
}

client_clocks::duration client_clocks::smallest(std::uint64_t sender, duration shift) {
    const std::scoped_lock lock{mutex_};
    const auto now = clock_.now();
    if (now - window_begin_ >= window || current_.size() >= max_senders) {
        previous_ = std::exchange(current_, {});
        window_begin_ = now;
    }
    auto& known = current_.try_emplace(sender, shift).first->second;
    known = std::min(known, shift);
    const auto before = previous_.find(sender);
    return before == previous_.end() ? known : std::min(known, before->second);
}

} // namespace trackd::intake
