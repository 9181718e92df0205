#include "intake/json_event.hpp"

#include "base/rfc3339.hpp"
#include "intake/decode.hpp"
#include "intake/media_type.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <charconv>

namespace trackd::intake {

namespace {

constexpr std::size_t usual_bytes = 512UL * 1024UL;
constexpr std::size_t usual_members = 4096;

std::optional<refusal> refuse(std::string detail) {
    return refusal{refusal_kind::invalid_event, std::move(detail)};
}

std::optional<refusal>
refuse_value(std::string_view name, std::string_view value, std::string_view expected) {
    const auto kind = json_kind_at(value.front());
    return refuse(
        quoted(name) + " is " + std::string{with_article(kind)} + "; expected " + std::string{expected}
    );
}

std::optional<refusal> refuse_missing(std::string_view name) {
    return refuse(quoted(name) + " is missing; a CloudEvent must have it");
}

constexpr std::uint32_t bit(std::size_t which) noexcept {
    return 1U << which;
}

constexpr auto all_members = ~std::uint32_t{0};

bool is_string(std::string_view value) noexcept {
    return value.front() == '"';
}

bool is_null(std::string_view value) noexcept {
    return value == "null";
}

std::string_view between_quotes(std::string_view value) noexcept {
    return value.substr(1, value.size() - 2);
}

/// Whether a JSON number is one of CloudEvents' integers.
bool is_int32(std::string_view number) noexcept {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    return error == std::errc{} && end == number.data() + number.size();
}

/// Without a content type, data is JSON.
bool is_json(std::string_view datacontenttype) noexcept {
    return datacontenttype.empty() || media_type{datacontenttype}.is_json();
}

} // namespace

const std::array<std::string_view, json_event_reader::known_count> json_event_reader::known_names{
    "id",         "source",      "type", "time",        "subject", "datacontenttype",
    "dataschema", "specversion", "data", "data_base64",
};

std::optional<refusal>
json_event_reader::read(json_cursor& at, const json_event_rules& rules, event_view& event) {
    const auto begin = at.offset();
    collect(at);
    if (has(specversion)) return read_cloudevent(rules, event);
    if (rules.cloudevents_only) return refuse_missing("specversion");
    if (has(data)) return read_short_form(rules, event);
    return read_plain(at.bytes(begin, at.end_of_closed()), rules, event);
}

void json_event_reader::release() {
    scratch_.release(usual_bytes);
    if (others_.capacity() > usual_members) std::vector<member>{}.swap(others_);
    if (extensions_.capacity() > usual_bytes) std::string{}.swap(extensions_);
}

json_event_reader::known json_event_reader::identify(std::string_view name) noexcept {
    const auto if_same = [name](known which) { return name == known_names[which] ? which : known_count; };
    switch (name.size()) {
    case 2: return if_same(id);
    case 4: return name[0] == 'd' ? if_same(data) : name[1] == 'y' ? if_same(type) : if_same(time);
    case 6: return if_same(source);
    case 7: return if_same(subject);
    case 10: return if_same(dataschema);
    case 11: return name[0] == 's' ? if_same(specversion) : if_same(data_base64);
    case 15: return if_same(datacontenttype);
    default: return known_count;
    }
}

// Which form it is shows only when all members have been seen.
void json_event_reader::collect(json_cursor& at) {
    given_.fill({});
    given_twice_ = 0;
    others_.clear();
    for (bool more = at.enter(); more; more = at.next()) {
        const auto name = unescaped(at.name());
        const auto value = at.value();
        const auto which = identify(name);
        if (which == known_count) {
            others_.push_back({name, value});
            continue;
        }
        if (has(which)) given_twice_ |= bit(which);
        given_[which] = value;
    }
}

std::optional<refusal> json_event_reader::read_cloudevent(const json_event_rules& rules, event_view& event) {
    if (auto wrong = check_cloudevent_members(rules)) return wrong;
    if (auto wrong = read_attributes(rules, event)) return wrong;
    if (auto wrong = read_extensions(event)) return wrong;
    return has(data_base64) ? read_data_base64(event) : read_data(event);
}

std::optional<refusal> json_event_reader::read_short_form(const json_event_rules& rules, event_view& event) {
    if (auto wrong = check_short_form_members()) return wrong;
    if (auto wrong = read_attributes(rules, event)) return wrong;
    return read_data(event);
}

std::optional<refusal>
json_event_reader::read_plain(std::string_view object, const json_event_rules& rules, event_view& event) {
    if (auto wrong = check_given_once(bit(type))) return wrong;
    if (!rules.path_type.empty()) {
        event.type = rules.path_type;
    } else if (has(type) && is_string(given_[type])) {
        const auto text = unescaped(between_quotes(given_[type]));
        const bool has_size_of_one = !text.empty() && text.size() <= max_attribute_bytes;
        if (!has_size_of_one) return read_text(type, event.type); // which says what is wrong
        if (!attribute_fault(text)) event.type = text;            // with control characters it is only data
    }
    event.datacontenttype = "application/json";
    event.data = object;
    event.kind = data_kind::json;
    return std::nullopt;
}

std::optional<refusal> json_event_reader::check_cloudevent_members(const json_event_rules& rules) {
    if (auto wrong = check_given_once(all_members)) return wrong;
    for (std::size_t which = 0; which < known_count; ++which) // null says that an attribute is not there
        if (which != data && has(known{which}) && is_null(given_[which])) given_[which] = {};
    if (has(data_base64) && has(data)) {
        if (!is_null(given_[data]))
            return refuse("\"data\" and \"data_base64\" are both there; expected one of them");
        given_[data] = {};
    }

    std::string_view version;
    if (auto wrong = read_text(specversion, version)) return wrong;
    if (version.empty()) return refuse_missing("specversion");
    if (version != "1.0") return refuse("\"specversion\" is " + quoted(version) + "; expected \"1.0\"");
    for (const auto required : {id, source})
        if (!has(required)) return refuse_missing(known_names[required]);
    if (!has(type) && rules.path_type.empty()) return refuse_missing("type");
    return std::nullopt;
}

std::optional<refusal> json_event_reader::check_short_form_members() const {
    constexpr auto foreign = std::array{dataschema, data_base64};
    const auto unknown = [](std::string_view name) {
        return refuse(
            quoted(name) + " is unknown; beside \"data\" and without \"specversion\", expected only " +
            std::string{short_form_members}
        );
    };
    if (!others_.empty()) return unknown(others_.front().name);
    for (const auto which : foreign)
        if (has(which)) return unknown(known_names[which]);
    return check_given_once(all_members);
}

std::optional<refusal> json_event_reader::check_given_once(std::uint32_t members) const {
    if ((given_twice_ & members) == 0) return std::nullopt; // nearly always
    for (std::size_t which = 0; which < known_count; ++which)
        if ((given_twice_ & members & bit(which)) != 0)
            return refuse(quoted(known_names[which]) + " is given twice; expected once");
    return std::nullopt;
}

std::optional<refusal> json_event_reader::read_attributes(const json_event_rules& rules, event_view& event) {
    if (auto wrong = read_text(id, event.id)) return wrong;
    if (auto wrong = read_text(source, event.source)) return wrong;
    if (auto wrong = read_type(rules, event)) return wrong;
    if (auto wrong = read_text(subject, event.subject)) return wrong;
    if (auto wrong = read_text(datacontenttype, event.datacontenttype)) return wrong;
    return read_time(event);
}

std::optional<refusal> json_event_reader::read_type(const json_event_rules& rules, event_view& event) {
    if (auto wrong = read_text(type, event.type)) return wrong;
    if (rules.path_type.empty()) return std::nullopt;
    if (has(type) && event.type != rules.path_type)
        return refuse(
            "\"type\" is " + quoted(event.type) + ", but the path says " + quoted(rules.path_type) +
            "; expected the same, or only one of them"
        );
    event.type = rules.path_type;
    return std::nullopt;
}

std::optional<refusal> json_event_reader::read_time(event_view& event) {
    std::string_view text;
    if (auto wrong = read_text(time, text)) return wrong;
    if (text.empty()) return std::nullopt;
    const auto parsed = base::parse_rfc3339(text);
    if (!parsed)
        return refuse(
            "\"time\" is " + quoted(text) + "; expected a date-time of RFC 3339, such as 2026-11-21T08:15:30Z"
        );
    event.time = *parsed;
    return std::nullopt;
}

std::optional<refusal> json_event_reader::read_data(event_view& event) {
    if (!has(data)) return std::nullopt;
    const auto value = given_[data];
    if (is_json(event.datacontenttype)) {
        if (event.datacontenttype.empty()) event.datacontenttype = "application/json";
        event.data = value;
        event.kind = data_kind::json;
        return std::nullopt;
    }
    if (!is_string(value))
        return refuse_value(
            "data", value, "a string, because \"datacontenttype\" is " + quoted(event.datacontenttype)
        );
    event.data = unescaped(between_quotes(value));
    event.kind = kind_of(event.data);
    return std::nullopt;
}

std::optional<refusal> json_event_reader::read_data_base64(event_view& event) {
    const auto value = given_[data_base64];
    if (!is_string(value)) return refuse_value("data_base64", value, "a string");
    const auto text = unescaped(between_quotes(value));
    char* const out = scratch_.next();
    const auto size = decode_base64(text, out);
    if (!size) return refuse("\"data_base64\" is " + quoted(text) + "; expected base64, with its padding");
    scratch_.keep(*size);
    event.data = {out, *size};
    event.kind = data_kind::binary;
    return std::nullopt;
}

std::optional<refusal> json_event_reader::read_extensions(event_view& event) {
    if (others_.empty() && !has(dataschema)) return std::nullopt;
    std::string_view schema;
    if (auto wrong = read_text(dataschema, schema)) return wrong;

    extensions_ = "{";
    if (has(dataschema)) extensions_.append("\"dataschema\":").append(given_[dataschema]);
    for (const auto& extension : others_)
        if (auto wrong = add_extension(extension)) return wrong;
    extensions_ += '}';
    if (extensions_.size() > 2) event.extensions = extensions_;

    std::sort(others_.begin(), others_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(others_.begin(), others_.end(), [](const auto& a, const auto& b) {
        return a.name == b.name;
    });
    if (twice != others_.end()) return refuse(quoted(twice->name) + " is given twice; expected once");
    return std::nullopt;
}

std::optional<refusal> json_event_reader::add_extension(const member& extension) {
    const auto& [name, value] = extension;
    if (!is_extension_name(name))
        return refuse(
            quoted(name) +
            " is no name of an attribute; expected small letters a to z and digits only, at most " +
            std::to_string(max_attribute_bytes)
        );
    switch (json_kind_at(value.front())) {
    case json_kind::null: return std::nullopt;
    case json_kind::boolean: break;
    case json_kind::string: {
        std::string_view text;
        if (auto wrong = read_text(name, value, text)) return wrong;
        break;
    }
    case json_kind::number:
        if (is_int32(value)) break;
        [[fallthrough]];
    default: return refuse_value(name, value, "a string, true, false, or an integer of 32 bits");
    }
    if (extensions_.size() > 1) extensions_ += ',';
    extensions_.append("\"").append(name).append("\":").append(value);
    return std::nullopt;
}

std::optional<refusal> json_event_reader::read_text(known which, std::string_view& text) {
    return has(which) ? read_text(known_names[which], given_[which], text) : std::nullopt;
}

std::optional<refusal>
json_event_reader::read_text(std::string_view name, std::string_view value, std::string_view& text) {
    if (!is_string(value)) return refuse_value(name, value, "a string");
    text = unescaped(between_quotes(value));
    if (const auto fault = attribute_fault(text)) return refuse(quoted(name) + ' ' + *fault);
    return std::nullopt;
}

std::string_view json_event_reader::unescaped(std::string_view escaped) {
    if (!has_escapes_ || escaped.find('\\') == std::string_view::npos) return escaped;
    char* const out = scratch_.next();
    const auto size = unescape_json(escaped, out);
    scratch_.keep(size);
    return {out, size};
}

} // namespace trackd::intake
