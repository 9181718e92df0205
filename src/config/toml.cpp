// Copies the TOML library's nodes, with their places, into our own tree.
#include "config/toml.hpp"

#include "config/load.hpp"

#include <toml++/toml.h>

#include <functional>
#include <sstream>

namespace trackd::config {
namespace {

/// Makes an origin of a place in the text.
using locator = std::function<origin(const toml::source_region&)>;

std::string as_written(const toml::node& from) {
    std::ostringstream text;
    text << toml::node_view<const toml::node>{from};
    return text.str();
}

value copy(const toml::node& from, const locator& locate);

table copy_table(const toml::table& from, const locator& locate) {
    table members;
    for (const auto& [key, node] : from) {
        members.push_back({std::string{key.str()}, locate(key.source()), copy(node, locate)});
    }
    return members;
}

list copy_array(const toml::array& from, const locator& locate) {
    list elements;
    for (const auto& node : from)
        elements.push_back(copy(node, locate));
    return elements;
}

value copy(const toml::node& from, const locator& locate) {
    value to{reported{}, locate(from.source())};
    switch (from.type()) {
    case toml::node_type::table: to.content = copy_table(*from.as_table(), locate); break;
    case toml::node_type::array: to.content = copy_array(*from.as_array(), locate); break;
    case toml::node_type::string: to.content = from.as_string()->get(); break;
    case toml::node_type::integer: to.content = from.as_integer()->get(); break;
    case toml::node_type::boolean: to.content = from.as_boolean()->get(); break;
    default: to.content = unsupported{as_written(from)}; break;
    }
    return to;
}

} // namespace

value parse_toml(std::string_view text, const std::string& name) {
    const auto place = [&](const toml::source_position& at) {
        return name + ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
    };
    const auto locate = [&](const toml::source_region& region) {
        return origin{place(region.begin), {}, 0, region.begin.line, region.begin.column};
    };
    try {
        return {copy_table(toml::parse(text, std::string_view{name}), locate), {}};
    } catch (const toml::parse_error& failure) {
        throw error{{place(failure.source().begin) + ": " + std::string{failure.description()}}};
    }
}

std::optional<value> parse_toml_value(std::string_view text, const origin& where) {
    try {
        const auto document = toml::parse("value = " + std::string{text});
        const auto* node = document.get("value");
        if (!node || document.size() != 1) return std::nullopt;
        return copy(*node, [&](const toml::source_region&) { return where; });
    } catch (const toml::parse_error&) {
        return std::nullopt; // whoever asks has another reading of the text
    }
}

} // namespace trackd::config
