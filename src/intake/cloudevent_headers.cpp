#include "intake/cloudevent_headers.hpp"

#include "base/ascii.hpp"
#include "base/json_text.hpp"
#include "base/rfc3339.hpp"
#include "http/query.hpp"
#include "intake/request_fields.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace trackd::intake {

namespace {

std::optional<refusal> refuse_event(std::string detail) {
    return refusal{refusal_kind::invalid_event, std::move(detail)};
}

std::optional<refusal> refuse_field(std::string_view field_name, const std::string& why) {
    return refusal{refusal_kind::invalid_header, std::string{field_name} + ' ' + why};
}

std::string lower(std::string_view name) {
    std::string out{name};
    std::ranges::transform(out, out.begin(), base::to_lower);
    return out;
}

/// What a quoted string (RFC 9110 section 5.6.4) stands for; nothing if it does not end with its text.
std::optional<std::string> unquote(std::string_view text) {
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1 == text.size() ? std::optional{std::move(out)} : std::nullopt;
        if (text[i] == '\\' && ++i == text.size()) break;
        out += text[i];
    }
    return std::nullopt;
}

/// Most are: there is nothing to decode, and nothing that an attribute must not have.
bool is_plain(std::string_view value) noexcept {
    const auto is_part = [](char c) { return c >= ' ' && c < '\x7f' && c != '%'; };
    return !value.empty() && value.size() <= max_attribute_bytes && value.front() != '"' &&
           std::ranges::all_of(value, is_part);
}

bool needs_decoding(std::string_view value) noexcept {
    return value.starts_with('"') || value.find('%') != std::string_view::npos;
}

/// A U+0000 is told by the check of attributes.
bool is_utf8(std::string_view text) noexcept {
    return text.find('\0') != std::string_view::npos || kind_of(text) == data_kind::text;
}

} // namespace

const std::array<std::string_view, cloudevent_headers::known_count> cloudevent_headers::known_names{
    "id", "source", "specversion", "type", "subject", "time",
};

std::optional<refusal>
cloudevent_headers::read(const http::request& req, std::string_view path_type, event_view& event) {
    std::size_t bytes = 0;
    for (const auto& field : req.headers)
        bytes += field.value.size();
    scratch_.prepare(bytes);
    given_.fill({});
    extensions_ = "{";
    for (const auto& field : req.headers)
        if (auto wrong = read_field(field)) return wrong;
    if (auto wrong = check_required(path_type)) return wrong;
    return use(path_type, event);
}

std::optional<refusal> cloudevent_headers::read_field(const http::request::header_field& field) {
    const auto as_sent = cloudevent_attribute(field.name);
    if (as_sent.empty()) return std::nullopt;
    const auto name = lower(as_sent);
    if (name == "datacontenttype")
        return refuse_field(field.name, "is there; expected Content-Type to say what the data is");

    std::string_view value;
    if (auto wrong = decode(field.name, field.value, value)) return wrong;
    const auto* const found = std::ranges::find(known_names, std::string_view{name});
    if (found == known_names.end()) return add_extension(name, value);
    auto& given = given_[static_cast<std::size_t>(found - known_names.begin())];
    if (!given.empty()) return refuse_field(field.name, "is given twice; expected once");
    given = value;
    return std::nullopt;
}

std::optional<refusal> cloudevent_headers::add_extension(std::string_view name, std::string_view value) {
    const auto field_name = "ce-" + std::string{name};
    if (!is_extension_name(name) || name == "data")
        return refuse_event(
            quoted(std::string_view{field_name}) + " is there, but " + quoted(name) +
            " is no name of an attribute; expected small letters a to z and digits only, and not \"data\""
        );
    if (has_extension(extensions_, name)) return refuse_field(field_name, "is given twice; expected once");
    if (extensions_.size() > 1) extensions_ += ',';
    extensions_.append("\"").append(name).append("\":");
    base::append_json_string(extensions_, value);
    return std::nullopt;
}

std::optional<refusal> cloudevent_headers::check_required(std::string_view path_type) const {
    for (const auto which : {specversion, id, source, type})
        if (!has(which) && (which != type || path_type.empty()))
            return refuse_event(
                "ce-" + std::string{known_names[which]} +
                " is missing; a CloudEvent in the binary mode must have it"
            );
    if (given_[specversion] != "1.0")
        return refuse_event("ce-specversion is " + quoted(given_[specversion]) + "; expected \"1.0\"");
    return std::nullopt;
}

std::optional<refusal> cloudevent_headers::use(std::string_view path_type, event_view& event) {
    event.id = given_[id];
    event.source = given_[source];
    event.subject = given_[subject];
    event.type = has(type) ? given_[type] : path_type;
    if (!path_type.empty() && event.type != path_type)
        return refuse_event(
            "ce-type is " + quoted(event.type) + ", but the path says " + quoted(path_type) +
            "; expected the same, or only one of them"
        );
    if (has(time)) {
        const auto parsed = base::parse_rfc3339(given_[time]);
        if (!parsed)
            return refuse_event(
                "ce-time is " + quoted(given_[time]) +
                "; expected a date-time of RFC 3339, such as 2026-11-21T08:15:30Z"
            );
        event.time = *parsed;
    }
    extensions_ += '}';
    if (extensions_.size() > 2) event.extensions = extensions_;
    return std::nullopt;
}

std::optional<refusal>
cloudevent_headers::decode(std::string_view field_name, std::string_view value, std::string_view& text) {
    text = value;
    if (is_plain(value)) return std::nullopt;
    if (needs_decoding(value)) {
        std::optional<std::string> unquoted{std::string{value}};
        if (value.starts_with('"')) unquoted = unquote(value);
        if (!unquoted)
            return refuse_field(field_name, "is " + quoted(value) + "; expected the quoted string to end");
        const auto decoded = http::decode_escapes(*unquoted);
        char* const out = scratch_.next(); // decoding never makes it longer
        if (!decoded.empty()) std::memcpy(out, decoded.data(), decoded.size());
        scratch_.keep(decoded.size());
        text = {out, decoded.size()};
    }
    if (!is_utf8(text)) return refuse_field(field_name, "is " + quoted(value) + "; expected UTF-8");
    if (const auto fault = attribute_fault(text)) return refuse_event(std::string{field_name} + ' ' + *fault);
    return std::nullopt;
}

} // namespace trackd::intake
