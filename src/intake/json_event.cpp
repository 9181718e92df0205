#include "intake/json_event.hpp"

#include "base/rfc3339.hpp"
#include "intake/decode.hpp"
#include "intake/media_type.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace trackd::intake {

namespace {

constexpr std::size_t usual_bytes = 512UL * 1024UL;
constexpr std::size_t usual_members = 4096;

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

std::optional<refusal>
json_event_reader::read(json_cursor& at, const json_event_rules& rules, event_view& event) {
    if (read_object(at, rules, event)) return std::nullopt;
    return std::exchange(refused_, std::nullopt);
}

bool json_event_reader::read_object(json_cursor& at, const json_event_rules& rules, event_view& event) {
    const auto begin = at.offset();
    collect(at);
    if (has(specversion)) return read_cloudevent(rules, event);
    if (rules.cloudevents_only) return refuse_missing("specversion");
    if (is_short_form(rules)) return read_short_form(rules, event);
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
    given_ = given_twice_ = 0;
    others_.clear();
    for (bool more = at.enter(); more; more = at.next()) {
        const auto name = unescaped(at.name());
        const auto value = at.value();
        const auto which = identify(name);
        if (which == known_count) {
            others_.push_back({name, value});
            continue;
        }
        given_twice_ |= given_ & bit(which);
        given_ |= bit(which);
        values_[which] = value;
    }
}

bool json_event_reader::read_cloudevent(const json_event_rules& rules, event_view& event) {
    if (!check_cloudevent_members(rules)) return false;
    if (!read_attributes(rules, event)) return false;
    if (!read_extensions(event)) return false;
    return has(data_base64) ? read_data_base64(event) : read_data(event);
}

// Any other member shows that `data` means something to the sender only. Where the path gives the type, the members that
// the short form has are as likely to be the sender's own.
bool json_event_reader::is_short_form(const json_event_rules& rules) const noexcept {
    if (!has(data) || !others_.empty() || has(dataschema) || has(data_base64)) return false;
    return rules.path_type.empty() || given_ == bit(data);
}

bool json_event_reader::read_short_form(const json_event_rules& rules, event_view& event) {
    if (!check_given_once(all_members)) return false;
    if (!read_attributes(rules, event)) return false;
    return read_data(event);
}

bool json_event_reader::read_plain(
    std::string_view object, const json_event_rules& rules, event_view& event
) {
    if (!check_given_once(bit(type))) return false;
    if (!rules.path_type.empty()) {
        event.type = rules.path_type;
    } else if (has(type) && is_string(values_[type])) {
        const auto text = unescaped(between_quotes(values_[type]));
        const bool has_size_of_one = !text.empty() && text.size() <= max_attribute_bytes;
        if (!has_size_of_one) return read_text(type, event.type); // which says what is wrong
        if (!attribute_fault(text)) event.type = text;            // with control characters it is only data
    }
    event.datacontenttype = "application/json";
    event.data = object;
    event.kind = data_kind::json;
    return true;
}

bool json_event_reader::check_cloudevent_members(const json_event_rules& rules) {
    if (!check_given_once(all_members)) return false;
    for (std::size_t which = 0; which < known_count; ++which) // null says that an attribute is not there
        if (which != data && has(which) && is_null(values_[which])) given_ &= ~bit(which);
    if (has(data_base64) && has(data)) {
        if (!is_null(values_[data]))
            return refuse("\"data\" and \"data_base64\" are both there; expected one of them");
        given_ &= ~bit(data);
    }

    std::string_view version;
    if (!read_text(specversion, version)) return false;
    if (version.empty()) return refuse_missing("specversion");
    if (version != "1.0") return refuse("\"specversion\" is " + quoted(version) + "; expected \"1.0\"");
    for (const auto required : {id, source})
        if (!has(required)) return refuse_missing(known_names[required]);
    if (!has(type) && rules.path_type.empty()) return refuse_missing("type");
    return true;
}

bool json_event_reader::check_given_once(std::uint32_t members) {
    if ((given_twice_ & members) == 0) return true; // nearly always
    for (std::size_t which = 0; which < known_count; ++which)
        if ((given_twice_ & members & bit(which)) != 0)
            return refuse(quoted(known_names[which]) + " is given twice; expected once");
    return true;
}

bool json_event_reader::read_attributes(const json_event_rules& rules, event_view& event) {
    if (!read_text(id, event.id)) return false;
    if (!read_text(source, event.source)) return false;
    if (!read_type(rules, event)) return false;
    if (!read_text(subject, event.subject)) return false;
    if (!read_text(datacontenttype, event.datacontenttype)) return false;
    return read_time(event);
}

bool json_event_reader::read_type(const json_event_rules& rules, event_view& event) {
    if (!read_text(type, event.type)) return false;
    if (rules.path_type.empty()) return true;
    if (has(type) && event.type != rules.path_type)
        return refuse(
            "\"type\" is " + quoted(event.type) + ", but the path says " + quoted(rules.path_type) +
            "; expected the same, or only one of them"
        );
    event.type = rules.path_type;
    return true;
}

bool json_event_reader::read_time(event_view& event) {
    std::string_view text;
    if (!read_text(time, text)) return false;
    if (text.empty()) return true;
    const auto parsed = base::parse_rfc3339(text);
    if (!parsed)
        return refuse(
            "\"time\" is " + quoted(text) + "; expected a date-time of RFC 3339, such as 2026-11-21T08:15:30Z"
        );
    event.time = *parsed;
    return true;
}

bool json_event_reader::read_data(event_view& event) {
    if (!has(data)) return true;
    const auto value = values_[data];
    if (is_json(event.datacontenttype)) {
        if (event.datacontenttype.empty()) event.datacontenttype = "application/json";
        event.data = value;
        event.kind = data_kind::json;
        return true;
    }
    if (!is_string(value))
        return refuse_value(
            "data", value, "a string, because \"datacontenttype\" is " + quoted(event.datacontenttype)
        );
    event.data = unescaped(between_quotes(value));
    event.kind = kind_of(event.data);
    return true;
}

bool json_event_reader::read_data_base64(event_view& event) {
    const auto value = values_[data_base64];
    if (!is_string(value)) return refuse_value("data_base64", value, "a string");
    const auto text = unescaped(between_quotes(value));
    char* const out = scratch_.next();
    const auto size = decode_base64(text, out);
    if (!size) return refuse("\"data_base64\" is " + quoted(text) + "; expected base64, with its padding");
    scratch_.keep(*size);
    event.data = {out, *size};
    event.kind = data_kind::binary;
    return true;
}

bool json_event_reader::read_extensions(event_view& event) {
    if (others_.empty() && !has(dataschema)) return true;
    std::string_view schema;
    if (!read_text(dataschema, schema)) return false;

    extensions_ = "{";
    if (has(dataschema)) extensions_.append("\"dataschema\":").append(values_[dataschema]);
    for (const auto& extension : others_)
        if (!add_extension(extension)) return false;
    extensions_ += '}';
    if (extensions_.size() > 2) event.extensions = extensions_;

    std::sort(others_.begin(), others_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(others_.begin(), others_.end(), [](const auto& a, const auto& b) {
        return a.name == b.name;
    });
    if (twice != others_.end()) return refuse(quoted(twice->name) + " is given twice; expected once");
    return true;
}

bool json_event_reader::add_extension(const member& extension) {
    const auto& [name, value] = extension;
    if (!is_extension_name(name))
        return refuse(
            quoted(name) +
            " is no name of an attribute; expected small letters a to z and digits only, at most " +
            std::to_string(max_attribute_bytes)
        );
    switch (json_kind_at(value.front())) {
    case json_kind::null: return true;
    case json_kind::boolean: break;
    case json_kind::string: {
        std::string_view text;
        if (!read_text(name, value, text)) return false;
        break;
    }
    case json_kind::number:
        if (is_int32(value)) break;
        [[fallthrough]];
    default: return refuse_value(name, value, "a string, true, false, or an integer of 32 bits");
    }
    if (extensions_.size() > 1) extensions_ += ',';
    extensions_.append("\"").append(name).append("\":").append(value);
    return true;
}

bool json_event_reader::read_text(known which, std::string_view& text) {
    return has(which) ? read_text(known_names[which], values_[which], text) : true;
}

bool json_event_reader::read_text(std::string_view name, std::string_view value, std::string_view& text) {
    if (!is_string(value)) return refuse_value(name, value, "a string");
    const auto escaped = between_quotes(value);
    text = unescaped(escaped);
    const bool as_it_came = text.data() == escaped.data(); // then JSON allows no control characters
    if (as_it_came && !text.empty() && text.size() <= max_attribute_bytes) return true;
    if (const auto fault = attribute_fault(text)) return refuse(quoted(name) + ' ' + *fault);
    return true;
}

std::string_view json_event_reader::unescape(std::string_view escaped) {
    if (escaped.find('\\') == std::string_view::npos) return escaped;
    char* const out = scratch_.next();
    const auto size = unescape_json(escaped, out);
    scratch_.keep(size);
    return {out, size};
}

bool json_event_reader::refuse(std::string detail) {
    refused_ = refusal{refusal_kind::invalid_event, std::move(detail)};
    return false;
}

bool json_event_reader::refuse_value(
    std::string_view name, std::string_view value, std::string_view expected
) {
    const auto kind = json_kind_at(value.front());
    return refuse(
        quoted(name) + " is " + std::string{with_article(kind)} + "; expected " + std::string{expected}
    );
}

bool json_event_reader::refuse_missing(std::string_view name) {
    return refuse(quoted(name) + " is missing; a CloudEvent must have it");
}

} // namespace trackd::intake
