#include "intake/body_format.hpp"

#include "intake/media_type.hpp"
#include "intake/text.hpp"

namespace trackd::intake {

namespace {

bool looks_like_json(std::string_view body) noexcept {
    const auto text = without_byte_order_mark(body);
    const auto first = text.find_first_not_of(json_blanks);
    return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

/// What `curl -d`, `sendBeacon` and clients without a content type send is not what they say it is.
bool says_nothing(std::string_view content_type, const media_type& type) noexcept {
    return content_type.empty() || type.is("text/plain") || type.is("application/x-www-form-urlencoded");
}

/// For what is no CloudEvent.
body_format format_of(std::string_view content_type, const media_type& type, std::string_view body) noexcept {
    if (type.is("application/json")) return body_format::json;
    if (says_nothing(content_type, type))
        return looks_like_json(body) ? body_format::json : body_format::opaque;
    if (type.is_json_lines()) return body_format::ndjson;
    return type.is_json() ? body_format::json_data : body_format::opaque;
}

constexpr std::string_view cloudevents_prefix = "application/cloudevents";
constexpr std::string_view cloudevents_batch_prefix = "application/cloudevents-batch";

/// The beginning of the type says whether it is one or many, and the rest in which format: without one, it
/// is the only one that we read.
std::optional<body_format> cloudevents_format_of(const media_type& type) noexcept {
    if (type.is(cloudevents_batch_prefix) || type.is("application/cloudevents-batch+json"))
        return body_format::cloudevents_batch;
    if (type.is(cloudevents_prefix) || type.is("application/cloudevents+json"))
        return body_format::cloudevent;
    return std::nullopt;
}

std::string_view datacontenttype_of(std::string_view content_type, std::string_view body) noexcept {
    if (!content_type.empty()) return content_type;
    return kind_of(body) == data_kind::text ? "text/plain" : "application/octet-stream";
}

std::optional<refusal> unreadable(std::string why) {
    return refusal{refusal_kind::unsupported_media_type, std::move(why)};
}

std::optional<refusal> describe(
    body_format format, std::string_view content_type, const media_type& type, std::string_view body,
    body_description& description
) {
    const bool is_data = format == body_format::opaque || format == body_format::json_data;
    if (is_data && !content_type.empty() &&
        (!type.well_formed() || content_type.size() > max_attribute_bytes))
        return unreadable(
            "Content-Type is " + quoted(content_type) + "; expected type/subtype, of at most " +
            std::to_string(max_attribute_bytes) + " ASCII characters"
        );
    if (format != body_format::opaque && !type.is_utf8())
        return unreadable(
            "the charset is " + quoted(type.charset()) + "; expected utf-8, as JSON is always in it"
        );
    description.format = format;
    description.datacontenttype = is_data ? datacontenttype_of(content_type, body) : std::string_view{};
    return std::nullopt;
}

} // namespace

std::optional<refusal>
describe_body(std::string_view content_type, std::string_view body, body_description& description) {
    description = {};
    if (content_type == "application/json") return std::nullopt; // nearly always
    const media_type type{content_type};
    if (type.is_message_pack())
        return unreadable(
            "Content-Type is " + quoted(content_type) +
            ", and MessagePack is not read; configure the sender for JSON, which Fluent Bit calls \"format "
            "json\": expected application/json, or application/x-ndjson for one object a line"
        );
    if (!type.begins_with(cloudevents_prefix))
        return describe(format_of(content_type, type, body), content_type, type, body, description);
    if (const auto format = cloudevents_format_of(type))
        return describe(*format, content_type, type, body, description);
    return unreadable(
        "Content-Type is " + quoted(content_type) +
        "; expected CloudEvents in JSON: application/cloudevents+json or application/cloudevents-batch+json"
    );
}

std::optional<refusal>
describe_data(std::string_view content_type, std::string_view body, body_description& description) {
    const media_type type{content_type};
    const auto format = type.is_json() ? body_format::json_data : body_format::opaque;
    auto refused = describe(format, content_type, type, body, description);
    description.datacontenttype = content_type; // a CloudEvent need not say it
    return refused;
}

bool is_cloudevents(std::string_view content_type) noexcept {
    return media_type{content_type}.begins_with(cloudevents_prefix);
}

std::string_view without_byte_order_mark(std::string_view body) noexcept {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    return body.starts_with(mark) ? body.substr(mark.size()) : body;
}

} // namespace trackd::intake
