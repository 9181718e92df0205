#include "tracker/retry.hpp"

#include <algorithm>

namespace trackd {

std::optional<retry_policy::duration> retry_policy::failed() {
    if (draining_) {
        if (leave_after_failure_ && failures_ > 0) return {};
        ++failures_;
        return jittered(options_.min);
    }
    duration bound = std::min(options_.min, options_.max);
    for (unsigned i = 0; i < failures_ && bound < options_.max; ++i)
        bound = bound <= duration{options_.max} / 2 ? bound * 2 : duration{options_.max};
    ++failures_;
    return jittered(bound);
}

void retry_policy::begin_drain(bool backlog_is_durable) noexcept {
    draining_ = true;
    leave_after_failure_ = backlog_is_durable;
}

retry_policy::duration retry_policy::jittered(duration bound) {
    return duration{std::uniform_int_distribution<duration::rep>{0, bound.count()}(random_)};
}

} // namespace trackd
