#include "backlog/full_report.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace trackd::journal {

void full_report::changed(bool is_full, time_point now) {
    if (is_full == is_full_) return;
    is_full_ = is_full;
    changed_at_ = now;
    if (is_full) ++fulls_;
}

full_report::time_point full_report::due() const {
    auto at = time_point::max();
    if (said_full_ && !is_full_) at = changed_at_ + settle_time;
    if (said_full_ && fulls_ > 0) at = std::min(at, said_full_at_ + summary_interval);
    if (!said_full_ && is_full_) at = changed_at_;
    return at;
}

std::optional<full_report::line> full_report::next(time_point now) {
    if (now < due()) return {};
    if (!is_full_ && now >= changed_at_ + settle_time) return say(kind::good, now);
    return say(said_full_ ? kind::alternating : kind::full, now);
}

full_report::line full_report::say(kind what, time_point now) {
    const auto since =
        said_at_ ? std::chrono::floor<std::chrono::seconds>(now - *said_at_) : std::chrono::seconds{0};
    const line made{what, fulls_, since};
    said_full_ = what != kind::good;
    if (said_full_) said_full_at_ = now;
    said_at_ = now;
    fulls_ = 0;
    return made;
}

void write_fullness(const full_report::line& line, std::string_view reason, std::string_view holder) {
    switch (line.what) {
    case full_report::kind::full:
        base::log().error("journal: full, refusing events until there is room: {}; {}", reason, holder);
        break;
    case full_report::kind::alternating:
        base::log().error(
            "journal: full again, {} times in {} s: {}; {}", line.fulls, line.since.count(), reason, holder
        );
        break;
    case full_report::kind::good:
        base::log().info(
            "journal: there is room again; full {} more times in the last {} s", line.fulls,
            line.since.count()
        );
        break;
    }
}

} // namespace trackd::journal
