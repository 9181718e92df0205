#include "intake/rejected_calls.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <span>

namespace trackd::intake {

std::string_view to_string(call_fault fault) noexcept {
    switch (fault) {
    case call_fault::invalid_json: return "invalid_json";
    case call_fault::json_depth: return "json_depth";
    case call_fault::invalid_event: return "invalid_event";
    case call_fault::no_user: return "no_user";
    case call_fault::event_too_large: return "event_too_large";
    case call_fault::count_: break;
    }
    return "unknown";
}

call_fault fault_of(const refusal& reason) noexcept {
    if (reason.hit == limit::json_depth) return call_fault::json_depth;
    switch (reason.kind) {
    case refusal_kind::invalid_json: return call_fault::invalid_json;
    case refusal_kind::no_user: return call_fault::no_user;
    case refusal_kind::event_too_large: return call_fault::event_too_large;
    default: return call_fault::invalid_event;
    }
}

std::string describe(const rejected_calls::call& rejected) {
    return "batch [" + std::to_string(rejected.index) + "]: " + rejected.reason.detail;
}

void append_rejected_calls(const rejected_calls& rejected, std::string& json) {
    constexpr std::size_t most_listed = 20; // a client reads none of them: they are for developers
    const std::span calls{rejected.calls()};
    json.append("\"rejected\":").append(std::to_string(rejected.size())).append(",\"rejections\":[");
    for (const auto& call : calls.first(std::min(calls.size(), most_listed))) {
        if (!json.ends_with('[')) json += ',';
        json.append("{\"index\":").append(std::to_string(call.index));
        json.append(",\"code\":\"").append(to_string(fault_of(call.reason))).append("\",\"message\":");
        base::append_json_string(json, call.reason.detail);
        json += '}';
    }
    json += ']';
}

} // namespace trackd::intake
