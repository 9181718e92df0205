// Keys with their values as text, from two places, become changes to the tree.
#include "config/overlay.hpp"

#include "config/options.hpp"
#include "config/toml.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace trackd::config {
namespace {

constexpr std::string_view variable_prefix = "TRACKD_";

/// What there are several of, each with a name by which it is addressed: `sinks.NAME.KEY`.
struct named_group {
    std::string_view key;
    std::string_view one;
    std::optional<form> (*form_of)(std::string_view key);
};

template <class Owner>
std::optional<form> form_in(const option<Owner>* row) {
    return row ? std::optional{row->written} : std::nullopt;
}

constexpr std::array named_groups{
    named_group{"sinks", "sink", [](std::string_view key) { return form_in(find_sink_option(key)); }},
    named_group{"keys", "key", [](std::string_view key) { return form_in(find(key_options(), key)); }},
};

const named_group* group_of(std::string_view key) {
    const auto found = std::ranges::find(named_groups, key, &named_group::key);
    return found == named_groups.end() ? nullptr : &*found;
}

using path = std::vector<std::string>;

/// One `--set`, or one variable.
struct change {
    path key;
    std::string text;
    origin where;
};

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

path split(std::string_view text, std::string_view separator) {
    path parts;
    for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
        parts.emplace_back(text.substr(0, at));
        text.remove_prefix(at + separator.size());
    }
    parts.emplace_back(text);
    return parts;
}

std::string joined(const path& parts) {
    std::string text;
    for (const auto& part : parts)
        text.append(text.empty() ? "" : ".").append(part);
    return text;
}

bool is_top_level(std::string_view key) {
    return group_of(key) || std::ranges::any_of(options(), [&](const auto& option) {
               return option.key.substr(0, option.key.find('.')) == key;
           });
}

/// @return nothing if the variable is not ours
std::optional<change> from_variable(const std::string& name, const std::string& text) {
    if (!name.starts_with(variable_prefix)) return std::nullopt;
    auto rest = name.substr(variable_prefix.size());
    std::ranges::transform(rest, rest.begin(), lower);
    auto key = split(rest, "__");
    if (key.size() == 1 && !is_top_level(key.front())) return std::nullopt;
    origin where{name, joined(key)};
    return change{std::move(key), text, std::move(where)};
}

/// @return nothing if it has no `=`
std::optional<change> from_set(std::string_view given) {
    const auto equals = given.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string key{given.substr(0, equals)};
    return change{split(key, "."), std::string{given.substr(equals + 1)}, {"--set " + key, key}};
}

std::optional<form> form_of(const path& key) {
    if (const auto* group = group_of(key.front())) {
        const auto form = key.size() >= 3 ? group->form_of(key[2]) : std::nullopt;
        if (form == form::text_map && key.size() > 3) return form::text; // one of its entries
        return key.size() == 3 ? form : std::nullopt;
    }
    return form_in(find(options(), joined(key)));
}

/// Whether the text is to be read as TOML: strings may be given bare, and `[::1]:80` is one.
bool is_toml(std::string_view text, std::optional<form> written) {
    if (!written || written == form::flag || written == form::count) return true;
    const auto is_quote = [](std::string_view rest) {
        return rest.starts_with('"') || rest.starts_with('\'');
    };
    if (is_quote(text)) return true;
    if (written == form::text_map) return text.starts_with('{');
    const bool may_be_array = written == form::address_list || written == form::text_list ||
                              written == form::secret_list || written == form::networks ||
                              written == form::web_origins || written == form::statuses ||
                              written == form::sha256;
    if (!may_be_array || !text.starts_with('[')) return false;
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t\n", 1)));
    return is_quote(text) || text.starts_with(']');
}

value content_of(const change& from, environment variables, problems& found) {
    const auto toml =
        is_toml(from.text, form_of(from.key)) ? parse_toml_value(from.text, from.where) : std::nullopt;
    auto content = toml ? *toml : value{from.text, from.where};
    expand(content, variables, found);
    return content;
}

/// Sets what the path leads to, making tables on the way. Where something else than a table is in the way,
/// that is left for the reader to report.
void put(table& root, std::span<const std::string> key, value content) {
    auto* existing = find(root, key.front());
    if (key.size() == 1) {
        if (existing) {
            *existing = std::move(content);
        } else {
            root.push_back({key.front(), content.where, content});
        }
        return;
    }
    if (!existing) {
        root.push_back({key.front(), content.where, {table{}, content.where}});
        existing = &root.back().content;
    }
    if (auto* members = std::get_if<table>(&existing->content)) {
        put(*members, key.subspan(1), std::move(content));
    }
}

std::string name_of(const value& one) {
    const auto* members = std::get_if<table>(&one.content);
    const auto* name = members ? find(*members, "name") : nullptr;
    const auto* text = name ? std::get_if<std::string>(&name->content) : nullptr;
    return text ? *text : std::string{};
}

/// @return what is wrong with it, or nothing
std::string put_into_one(const named_group& group, list& all, const change& from, value content) {
    if (from.key.size() < 3) {
        return "expected " + joined(from.key) + ".KEY, or all " + std::string{group.key} + " as an array";
    }
    std::string names;
    for (auto& one : all) {
        const auto name = name_of(one);
        if (!name.empty() && same_name(name, from.key[1])) {
            put(std::get<table>(one.content), std::array{joined({from.key.begin() + 2, from.key.end()})},
                content);
            return {};
        }
        names.append(names.empty() ? "" : ", ").append(in_quotes(name));
    }
    return "no " + std::string{group.one} + " is named " + in_quotes(from.key[1]) + "; there is " +
           (names.empty() ? "none" : names);
}

void apply(table& root, const change& from, environment variables, problems& found) {
    auto content = content_of(from, variables, found);
    const auto* group = group_of(from.key.front());
    if (!group || from.key.size() == 1) {
        put(root, from.key, std::move(content));
        return;
    }
    auto* value = find(root, group->key);
    list none;
    auto* all = value ? std::get_if<list>(&value->content) : &none;
    if (!all) return; // which the reader reports
    if (const auto wrong = put_into_one(*group, *all, from, std::move(content)); !wrong.empty()) {
        found.add(from.where, wrong);
    }
}

/// Lays one layer over the tree: what replaces a whole comes before what sets a part of it.
void apply_all(
    table& root, std::vector<change>& layer, environment variables, unsigned first_layer, problems& found
) {
    for (auto& change : layer)
        change.where.layer = first_layer++;
    for (const bool whole : {true, false}) {
        for (const auto& change : layer) {
            if ((change.key.size() == 1) == whole) apply(root, change, variables, found);
        }
    }
}

} // namespace

bool same_name(std::string_view left, std::string_view right) noexcept {
    const auto canonical = [](char c) { return c == '-' ? '_' : lower(c); };
    return std::ranges::equal(left, right, {}, canonical, canonical);
}

void overlay(table& root, environment variables, std::span<const std::string> set, problems& found) {
    std::vector<change> layer;
    for (const auto& [name, text] : variables) {
        if (auto one = from_variable(name, text)) layer.push_back(std::move(*one));
    }
    const auto after_variables = static_cast<unsigned>(layer.size()) + 1;
    apply_all(root, layer, variables, 1, found);

    layer.clear();
    for (const auto& given : set) {
        if (auto one = from_set(given)) {
            layer.push_back(std::move(*one));
        } else {
            found.add({"--set " + given, {}, after_variables}, "found no =, expected KEY=VALUE");
        }
    }
    apply_all(root, layer, variables, after_variables, found);
}

} // namespace trackd::config
