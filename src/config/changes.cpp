#include "config/changes.hpp"

#include "config/read.hpp"

#include <algorithm>
#include <span>
#include <variant>

namespace trackd::config {
namespace {

bool same(const slot& one, const slot& other) {
    const auto as_the_other = [&](auto* value) { return *value == *std::get<decltype(value)>(other); };
    return std::visit(as_the_other, one);
}

template <class Owner>
void compare(
    std::span<const option<Owner>> options, const std::string& prefix, Owner& before, Owner& after,
    std::vector<change>& found
) {
    for (const auto& row : options) {
        if (same(row.in(before), row.in(after))) continue;
        found.push_back({prefix + std::string{row.key}, row.takes_effect});
    }
}

void compare(sink_settings& before, sink_settings& after, std::vector<change>& found) {
    const auto prefix = sink_key(before) + '.';
    compare(sink_options(), prefix, before, after, found);
    if (before.kind == after.kind) compare(sink_options(before.kind), prefix, before, after, found);
}

void compare(key_settings& before, key_settings& after, std::vector<change>& found) {
    compare(key_options(), key_key(before) + '.', before, after, found);
}

template <class Named>
Named* with_name_of(const Named& one, std::vector<Named>& in) {
    const auto found = std::ranges::find(in, one.name, &Named::name);
    return found == in.end() ? nullptr : &*found;
}

/// @param key what errors call one of them
template <class Named>
void compare_named(
    std::vector<Named>& before, std::vector<Named>& after, std::string (*key)(const Named&),
    changed_by takes_effect, std::vector<change>& found
) {
    for (auto& one : before) {
        if (auto* same = with_name_of(one, after))
            compare(one, *same, found);
        else
            found.push_back({key(one), takes_effect});
    }
    for (const auto& one : after)
        if (!with_name_of(one, before)) found.push_back({key(one), takes_effect});
}

} // namespace

std::vector<change> changes(const settings& before, const settings& after) {
    auto old = before; // slots may be written through, and so want an owner that may be
    auto now = after;
    std::vector<change> found;
    compare(options(), "", old, now, found);
    compare_named(old.sinks, now.sinks, sink_key, changed_by::restart, found);
    compare_named(old.keys, now.keys, key_key, changed_by::reload, found);
    return found;
}

} // namespace trackd::config
