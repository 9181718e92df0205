#include "sinks/sqlite_retention.hpp"

#include <algorithm>
#include <utility>

namespace trackd::sinks {

namespace {

constexpr std::chrono::minutes between_looks{1};
constexpr std::chrono::minutes tolerance{10};
constexpr int looks_to_believe = 60;
constexpr int steps_a_keep = 20;

} // namespace

wall_time retention_clock::look(wall_time now, std::optional<wall_time> newest) {
    const bool first = !believed_;
    if (first) believed_ = newest ? std::min(now, *newest) : now;
    const auto since = now - std::exchange(previous_, now);
    const bool far_off = now > *believed_ + tolerance || now < *believed_ - tolerance;
    const bool steady = !first && since >= wall_time::duration{0} && since <= tolerance;
    if (!far_off) {
        steady_looks_ = 0;
        jumped_at_.reset();
        believed_ = now;
        return now;
    }
    steady_looks_ = steady ? steady_looks_ + 1 : 0;
    return now < *believed_ ? follow_back(now) : catch_up(now, newest);
}

wall_time retention_clock::follow_back(wall_time now) {
    jumped_at_.reset();
    if (steady_looks_ >= looks_to_believe) believed_ = now;
    return now;
}

wall_time retention_clock::catch_up(wall_time now, std::optional<wall_time> newest) {
    if (!jumped_at_) jumped_at_ = newest;
    if (steady_looks_ < looks_to_believe) {
        believed_ = std::min<wall_time>(now, *believed_ + between_looks);
        return *believed_;
    }
    const bool nothing_to_protect = !*jumped_at_ || **jumped_at_ < *believed_ - keep_;
    const auto step = std::max<wall_time::duration>(tolerance, keep_ / steps_a_keep);
    believed_ = nothing_to_protect ? now : std::min<wall_time>(now, *believed_ + step);
    return *believed_;
}

wall_time retention_clock::horizon() const noexcept {
    return std::max(previous_, believed_.value_or(previous_)) + std::chrono::days{1};
}

} // namespace trackd::sinks
