#include "tracker/filter_log.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"

#include <string_view>

namespace trackd {

namespace {

std::string quoted(std::string_view text) {
    constexpr std::size_t max_bytes = 128;
    return base::json_string(base::whole_characters(text, max_bytes)) +
           (text.size() > max_bytes ? "..." : "");
}

} // namespace

void filter_log::write(
    const std::string& sink, std::span<const event_view> events, const route& wanted, clock::time_point now
) {
    if (now < next_look_) return;
    next_look_ = now + between_looks;
    if (now >= period_end_) {
        period_end_ = now + period;
        types_.clear();
    }
    for (const auto& event : events) {
        if (types_.size() >= max_types) return;
        if (wanted.wants(event) || !types_.emplace(event.type).second) continue;
        base::log().info(
            "sink {}: its route filters an event, type={} source={}; more of this type are not logged for "
            "an hour",
            sink, quoted(event.type), quoted(event.source)
        );
    }
}

} // namespace trackd
