// Walks the tree. Tables of TOML become prefixes of keys; only sinks and keys are objects of their own.
#include "config/read.hpp"

#include "config/assign.hpp"
#include "config/nearest.hpp"
#include "config/options.hpp"

#include <algorithm>
#include <type_traits>

namespace trackd::config {
namespace {

using keys = std::vector<std::string_view>;

void add_once(keys& to, std::string_view key) {
    if (std::ranges::find(to, key) == to.end()) to.push_back(key);
}

/// The keys that may stand in the table with this prefix (empty, or ending in a dot).
keys keys_below(std::string_view prefix) {
    keys result;
    for (const auto& option : options()) {
        if (!option.key.starts_with(prefix)) continue;
        const auto rest = option.key.substr(prefix.size());
        add_once(result, rest.substr(0, rest.find('.')));
    }
    if (prefix.empty()) {
        result.push_back("sinks");
        result.push_back("keys");
    }
    return result;
}

template <class Owner>
keys keys_of(std::span<const option<Owner>> options) {
    keys result;
    for (const auto& option : options)
        result.push_back(option.key);
    return result;
}

/// "did you mean …", or else what there is.
std::string advice(std::string_view key, const keys& known) {
    if (const auto meant = nearest(key, known); !meant.empty()) {
        return "did you mean " + std::string{meant} + "?";
    }
    std::string text;
    for (const auto one : known)
        text.append(text.empty() ? "expected one of " : ", ").append(one);
    return text;
}

std::string dotted(std::string_view prefix, std::string_view key) {
    return std::string{prefix}.append(".").append(key);
}

class reader {
public:
    reader(reading& into, problems& found) : into_{into}, found_{found} {}

    void read_table(const table& from, const std::string& prefix) {
        for (const auto& [key, where, content] : from) {
            const auto full = prefix + key;
            if (const auto* row = find(options(), full)) {
                set(content, row->in(into_.result), expectation_of(*row), full);
            } else if (full == "sinks") {
                read_sinks(content);
            } else if (full == "keys") {
                read_keys(content);
            } else if (key.empty() || keys_below(full + '.').empty()) {
                found_.add(where, "unknown key " + in_quotes(full) + ": " + advice(key, keys_below(prefix)));
            } else if (const auto* members = as<table>(content, full, "a table, [" + full + "]")) {
                read_table(*members, full + '.');
            }
        }
    }

private:
    bool set(const value& from, const slot& to, const expectation& expected, const std::string& key) {
        into_.where[key] = from.where;
        const bool right = assign(from, to, expected, key, found_);
        if (!right) into_.wrong.insert(key);
        return right;
    }

    /// @return nothing if it is something else, which is then reported
    template <class Content>
    const Content* as(const value& from, const std::string& key, const std::string& expected) {
        const auto* content = std::get_if<Content>(&from.content);
        if (!content && !std::holds_alternative<reported>(from.content)) {
            found_.add(from.where, key, "found " + shown(from) + ", expected " + expected);
        }
        return content;
    }

    void read_sinks(const value& from) {
        const auto* elements = std::get_if<list>(&from.content);
        if (elements && elements->empty()) {
            found_.add(
                from.where, "sinks", "found none, expected at least one; leave it out for the default"
            );
        }
        read_each(from, "sinks", &reader::read_sink);
    }

    /// None is as good as any number: whoever has no keys may write so.
    void read_keys(const value& from) {
        into_.result.says_keys = true;
        read_each(from, "keys", &reader::read_key);
    }

    /// @param read_one given its members, its place, and what errors call it until its name is known
    void read_each(
        const value& from, const std::string& all,
        void (reader::*read_one)(const table&, const origin&, const std::string&)
    ) {
        const auto* elements = as<list>(from, all, "an array of tables, [[" + all + "]]");
        if (!elements) return;
        for (std::size_t i = 0; i < elements->size(); ++i) {
            const auto key = all + '[' + std::to_string(i) + ']';
            if (const auto* members = as<table>((*elements)[i], key, "a table, [[" + all + "]]")) {
                (this->*read_one)(*members, (*elements)[i].where, key);
            }
        }
    }

    void read_sink(const table& members, const origin& where, const std::string& numbered) {
        sink_settings sink;
        const bool named = require(sink_options(), "name", members, where, sink, numbered);
        const auto key = named ? sink_key(sink) : numbered;
        if (named) into_.where[key + ".name"] = find(members, "name")->where;
        if (require(sink_options(), "kind", members, where, sink, key)) {
            read_options(members, sink, key);
        } else {
            find_unknown(members, key);
        }
        into_.result.sinks.push_back(std::move(sink));
    }

    void read_key(const table& members, const origin& where, const std::string& numbered) {
        key_settings key;
        const bool named = require(key_options(), "name", members, where, key, numbered);
        const auto called = named ? key_key(key) : numbered;
        if (named) into_.where[called + ".name"] = find(members, "name")->where;
        require(key_options(), "sha256", members, where, key, called);
        for (const auto& [option, place, content] : members) {
            if (option == "name" || option == "sha256") continue;
            const auto full = dotted(called, option);
            if (const auto* row = find(key_options(), option)) {
                set(content, row->in(key), expectation_of(*row), full);
            } else {
                found_.add(
                    place, full, "a key has no such option: " + advice(option, keys_of(key_options()))
                );
            }
        }
        into_.result.keys.push_back(std::move(key));
    }

    /// @return whether the sink or key has it, and it is right
    template <class Owner>
    bool require(
        std::span<const option<Owner>> rows, std::string_view key, const table& members, const origin& where,
        Owner& owner, const std::string& owner_is
    ) {
        if (const auto* given = find(members, key)) {
            const auto& row = *find(rows, key);
            return set(*given, row.in(owner), expectation_of(row), dotted(owner_is, key));
        }
        constexpr auto what = std::is_same_v<Owner, sink_settings> ? "sink" : "key";
        found_.add(where, owner_is, "found no " + std::string{key} + ", expected one in every " + what);
        return false;
    }

    void read_options(const table& members, sink_settings& sink, const std::string& sink_is) {
        for (const auto& [key, where, content] : members) {
            if (key == "name" || key == "kind") continue;
            const auto full = dotted(sink_is, key);
            const auto* row = find(sink_options(), key);
            if (!row) row = find(sink_options(sink.kind), key);
            if (row) {
                set(content, row->in(sink), expectation_of(*row), full);
            } else if (const auto* map = find_map(sink.kind, key)) {
                const member entry{key.substr(map->key.size() + 1), where, content};
                set({table{entry}, content.where}, map->in(sink), expectation_of(*map),
                    dotted(sink_is, map->key));
            } else {
                found_.add(where, full, wrong_key(key, sink.kind));
            }
        }
    }

    /// The option that `properties.NAME` is an entry of, as --set and the environment write it.
    static const option<sink_settings>* find_map(sink_kind kind, std::string_view key) {
        const auto dot = key.find('.');
        const auto* row = dot == key.npos ? nullptr : find(sink_options(kind), key.substr(0, dot));
        return row && row->written == form::text_map ? row : nullptr;
    }

    static std::string wrong_key(std::string_view key, sink_kind kind) {
        auto known = keys_of(sink_options());
        for (const auto own : keys_of(sink_options(kind)))
            known.push_back(own);
        std::string others;
        for (const auto other : sink_kinds()) {
            if (!find(sink_options(other), key)) continue;
            others.append(others.empty() ? "" : " and ").append(in_quotes(to_string(other)));
        }
        auto text = "a sink of kind " + in_quotes(to_string(kind)) + " has no such key";
        return others.empty() ? text + ": " + advice(key, known)
                              : text + ", only those of kind " + others + " have";
    }

    /// Where nothing more can be said, because the kind is not known.
    void find_unknown(const table& members, const std::string& sink_is) {
        for (const auto& [key, where, content] : members) {
            if (find_sink_option(key)) continue;
            found_.add(where, dotted(sink_is, key), "no kind of sink has such a key");
        }
    }

    reading& into_;
    problems& found_;
};

} // namespace

std::string sink_key(const sink_settings& sink) {
    return "sinks." + sink.name;
}

std::string key_key(const key_settings& key) {
    return "keys." + key.name;
}

reading read(const table& root, problems& found) {
    reading result;
    reader{result, found}.read_table(root, "");
    return result;
}

} // namespace trackd::config
