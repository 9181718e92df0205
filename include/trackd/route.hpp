// Which events a sink wants.
#pragma once

#include <trackd/event.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace trackd {

/// Patterns for one attribute of an event. In a pattern `*` stands for any bytes, also for none; what begins with `!`
/// is not wanted. An attribute is wanted if no pattern with `!` fits it, and one of the others does, or there are no
/// others: `order.*`, `!order.debug`.
class patterns {
public:
    patterns() = default; ///< everything is wanted

    explicit patterns(const std::vector<std::string>& all);

    [[nodiscard]] bool wants(std::string_view attribute) const noexcept;

    [[nodiscard]] bool wants_all() const noexcept { return wanted_.empty() && unwanted_.empty(); }

private:
    std::vector<std::string> wanted_;
    std::vector<std::string> unwanted_; // without the `!`
};

/// An event is wanted if its type and its source are.
struct route {
    patterns types;
    patterns sources;

    [[nodiscard]] bool wants(const event_view& event) const noexcept {
        return types.wants(event.type) && sources.wants(event.source);
    }

    [[nodiscard]] bool wants_all() const noexcept { return types.wants_all() && sources.wants_all(); }
};

} // namespace trackd
