// Walks the tree. Tables of TOML become prefixes of keys; only sinks are objects of their own.
#include "config/read.hpp"

#include "config/assign.hpp"
#include "config/nearest.hpp"
#include "config/options.hpp"

#include <algorithm>

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
    if (prefix.empty()) result.push_back("sinks");
    return result;
}

keys keys_of(std::span<const option<sink_settings>> options) {
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
        const auto* elements = as<list>(from, "sinks", "an array of tables, [[sinks]]");
        if (!elements) return;
        if (elements->empty()) {
            found_.add(
                from.where, "sinks", "found none, expected at least one; leave it out for the default"
            );
        }
        for (std::size_t i = 0; i < elements->size(); ++i) {
            const auto key = "sinks[" + std::to_string(i) + "]";
            if (const auto* members = as<table>((*elements)[i], key, "a table, [[sinks]]")) {
                read_sink(*members, (*elements)[i].where, key);
            }
        }
    }

    /// @param numbered what errors call it until its name is known
    void read_sink(const table& members, const origin& where, const std::string& numbered) {
        sink_settings sink;
        const bool named = require("name", members, where, sink, numbered);
        const auto key = named ? sink_key(sink) : numbered;
        if (named) into_.where[key + ".name"] = find(members, "name")->where;
        if (require("kind", members, where, sink, key)) {
            read_options(members, sink, key);
        } else {
            find_unknown(members, key);
        }
        into_.result.sinks.push_back(std::move(sink));
    }

    /// @return whether the sink has it, and it is right
    bool require(
        std::string_view key, const table& members, const origin& where, sink_settings& sink,
        const std::string& sink_is
    ) {
        if (const auto* given = find(members, key)) {
            const auto& row = *find(sink_options(), key);
            return set(*given, row.in(sink), expectation_of(row), dotted(sink_is, key));
        }
        found_.add(where, sink_is, "found no " + std::string{key} + ", expected one in every sink");
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
            } else {
                found_.add(where, full, wrong_key(key, sink.kind));
            }
        }
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

reading read(const table& root, problems& found) {
    reading result;
    reader{result, found}.read_table(root, "");
    return result;
}

} // namespace trackd::config
