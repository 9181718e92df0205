#include "intake/segment_query.hpp"

#include "base/json_text.hpp"
#include "http/query.hpp"
#include "intake/decode.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::intake {

namespace {

constexpr std::size_t most_dots = 16;

/// Both alphabets of base64, with padding or without.
bool decode_data(std::string_view data, std::string& json) {
    auto text = http::decode_form(data);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    std::ranges::replace(text, ' ', '+'); // a `+` that was not encoded
    while (text.ends_with('='))
        text.pop_back();
    text.append((4 - text.size() % 4) % 4, '=');
    json.resize(text.size());
    const auto size = decode_base64(text, json.data());
    json.resize(size.value_or(0));
    return size.has_value();
}

/// What the name of a parameter has before its dot number `depth`, and whether there is such a dot.
std::pair<std::string_view, bool> part_of(std::string_view name, std::size_t depth) noexcept {
    for (; depth > 0; --depth)
        name.remove_prefix(name.find('.') + 1);
    const auto dot = name.find('.');
    return {name.substr(0, dot), dot != std::string_view::npos};
}

/// Writes the members of one object: parameters, sorted by name, that have their first `depth` parts in
/// common.
void write_members(std::span<const http::query_parameter> parameters, std::size_t depth, std::string& json) {
    json += '{';
    while (!parameters.empty()) {
        const auto name = part_of(parameters.front().first, depth).first;
        const auto same = std::ranges::find_if(parameters, [&](const http::query_parameter& one) {
            return part_of(one.first, depth).first != name;
        });
        const auto count = static_cast<std::size_t>(same - parameters.begin());
        auto group = parameters.first(count);
        parameters = parameters.subspan(count);
        // A value beside members of the same name gives way to them.
        const auto inner = std::ranges::find_if(group, [&](const http::query_parameter& one) {
            return part_of(one.first, depth).second;
        });
        if (!json.ends_with('{')) json += ',';
        base::append_json_string(json, name);
        json += ':';
        if (inner == group.end())
            base::append_json_string(json, group.back().second);
        else
            write_members(group.subspan(static_cast<std::size_t>(inner - group.begin())), depth + 1, json);
    }
    json += '}';
}

bool has_too_many_dots(std::string_view name) {
    return std::ranges::count(name, '.') > static_cast<std::ptrdiff_t>(most_dots);
}

/// A dot comes before any other character, so that what lies in one object lies together.
struct by_parts {
    bool operator()(std::string_view one, std::string_view other) const {
        return std::ranges::lexicographical_compare(one, other, [](char a, char b) {
            return a != b && (a == '.' || (b != '.' && a < b));
        });
    }
};

} // namespace

std::optional<refusal> write_segment_call(std::string_view query, std::string& json) {
    if (const auto data = http::find_parameter(query, "data"); data && !data->empty()) {
        if (decode_data(*data, json)) return std::nullopt;
        return refusal{
            refusal_kind::invalid_event, "\"data\" is " + quoted(*data) + "; expected JSON text in base64"
        };
    }
    std::map<std::string, std::string, by_parts> sorted; // of two with the same name the last one counts
    for (auto& [name, value] : http::parse_query(query))
        if (name != "writeKey" && !has_too_many_dots(name))
            sorted.insert_or_assign(std::move(name), std::move(value));
    const std::vector<http::query_parameter> parameters{sorted.begin(), sorted.end()};
    json.clear();
    write_members(parameters, 0, json);
    return std::nullopt;
}

} // namespace trackd::intake
