#include "tracker/retry.hpp"

#include <algorithm>

namespace trackd {

std::optional<retry_policy::duration> retry_policy::failed() {
    if (draining_) {
        if (leave_after_failure_ && failures_ > 0) return {};
        ++failures_;
        return jittered(options_.min);
    }
    const auto doublings = std::min(failures_, 30U);
    ++failures_;
    const auto bound = std::min<duration>(options_.max, options_.min * (std::int64_t{1} << doublings));
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
