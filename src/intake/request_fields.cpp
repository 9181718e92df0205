#include "intake/request_fields.hpp"

#include "base/ascii.hpp"
#include "intake/text.hpp"

#include <algorithm>

namespace trackd::intake {

namespace {

bool makes_cloudevent(std::string_view attribute) noexcept {
    constexpr std::string_view required[] = {"id", "source", "specversion", "type"};
    return std::ranges::any_of(required, [=](std::string_view name) {
        return base::equal_ignoring_case(attribute, name);
    });
}

bool is_lower_hex(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_all(char wanted, std::string_view text) noexcept {
    return text.find_first_not_of(wanted) == std::string_view::npos;
}

} // namespace

own_fields find_own_fields(const http::request& req) noexcept {
    own_fields found;
    for (const auto& [id, name, value] : req.headers) {
        if (id != http::field::unknown) continue;
        if (const auto attribute = cloudevent_attribute(name); !attribute.empty())
            found.cloudevent_binary |= makes_cloudevent(attribute);
        else if (found.idempotency_key.empty() && base::equal_ignoring_case(name, "Idempotency-Key"))
            found.idempotency_key = value;
        else if (found.traceparent.empty() && base::equal_ignoring_case(name, "traceparent"))
            found.traceparent = value;
        else if (base::equal_ignoring_case(name, "tracestate"))
            found.tracestate = true;
    }
    return found;
}

request_facts
facts_of(const http::request& req, const own_fields& own, const key* caller, std::string& tracestate) {
    request_facts facts;
    facts.received_at = req.received_at;
    if (caller != nullptr) facts.source = caller->name();
    if (!is_traceparent(own.traceparent)) return facts;
    facts.traceparent = own.traceparent;
    if (own.tracestate) tracestate = tracestate_of(req);
    facts.tracestate = tracestate;
    return facts;
}

std::string_view cloudevent_attribute(std::string_view field_name) noexcept {
    constexpr std::string_view prefix = "ce-";
    if (field_name.size() <= prefix.size() || field_name[2] != '-') return {};
    const bool is_one = base::equal_ignoring_case(field_name.substr(0, prefix.size()), prefix);
    return is_one ? field_name.substr(prefix.size()) : std::string_view{};
}

bool is_idempotency_key(std::string_view key) noexcept {
    return !key.empty() && key.size() <= max_idempotency_key_bytes &&
           std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<refusal> check_idempotency_key(std::string_view key) {
    if (key.empty() || is_idempotency_key(key)) return std::nullopt;
    return refusal{
        refusal_kind::invalid_idempotency_key, "Idempotency-Key is " + quoted(key) + "; expected 1 to " +
                                                   std::to_string(max_idempotency_key_bytes) +
                                                   " visible ASCII characters"
    };
}

bool is_traceparent(std::string_view text) noexcept {
    constexpr std::size_t size = 55; // version-trace-parent-flags: 2, 32, 16 and 2 digits
    if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
    const auto version = text.substr(0, 2);
    const auto trace = text.substr(3, 32);
    const auto parent = text.substr(36, 16);
    for (const auto part : {version, trace, parent, text.substr(53, 2)})
        if (!is_lower_hex(part)) return false;
    if (version == "ff" || is_all('0', trace) || is_all('0', parent)) return false;
    if (text.size() == size) return true;
    const bool later_version = version != "00" && text[size] == '-'; // which may have more parts
    return later_version && kind_of(text) == data_kind::text && !attribute_fault(text);
}

std::string tracestate_of(const http::request& req) {
    std::string all;
    for (const auto& [id, name, value] : req.headers) {
        if (value.empty() || !base::equal_ignoring_case(name, "tracestate")) continue;
        if (!all.empty()) all += ',';
        all += value;
    }
    if (kind_of(all) != data_kind::text || attribute_fault(all)) all.clear();
    return all;
}

} // namespace trackd::intake
