#include "intake/counters.hpp"

namespace trackd::intake {

std::string_view to_string(wire_format format) noexcept {
    switch (format) {
    case wire_format::native: return "native";
    case wire_format::segment: return "segment";
    case wire_format::webhook: return "webhook";
    case wire_format::pixel: return "pixel";
    case wire_format::count_: break;
    }
    return "unknown";
}

accepted_counters::figures accepted_counters::of(std::size_t key, wire_format format) const noexcept {
    const auto* of_key = by_key_[key].look();
    if (of_key == nullptr) return {};
    const auto& found = (*of_key)[static_cast<std::size_t>(format)];
    return {found.events.value(), found.bytes.value()};
}

} // namespace trackd::intake
