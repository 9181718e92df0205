// One function for each rule between options.
#include "config/check.hpp"

#include "config/options.hpp"
#include "config/overlay.hpp"
#include "config/units.hpp"

#include <filesystem>

namespace trackd::config {
namespace {

constexpr std::string_view data_dir_mark = "{data_dir}";

/// Where the option was set, or else the other one.
const origin& place(const origins& where, const std::string& key, const std::string& other) {
    const auto found = where.find(key);
    return found != where.end() ? found->second : where.at(other);
}

void check_ack(const reading& all, problems& found) {
    if (all.result.tracker.ack != ack_mode::journaled || all.result.backlog.kind != backlog_kind::memory)
        return;
    found.add(
        place(all.where, "tracker.ack", "backlog.kind"), "tracker.ack",
        "\"journaled\" cannot be promised with backlog.kind = \"memory\", which keeps nothing on disk; "
        "expected "
        "\"accepted\" or \"delivered\""
    );
}

void check_retry(const reading& all, problems& found) {
    const auto& retry = all.result.tracker.retry;
    if (retry.min <= retry.max) return;
    found.add(
        place(all.where, "tracker.retry.min", "tracker.retry.max"), "tracker.retry.min",
        "found " + in_quotes(format(retry.min)) + ", expected at most tracker.retry.max, which is " +
            in_quotes(format(retry.max))
    );
}

void check_names(const reading& all, problems& found) {
    const auto& sinks = all.result.sinks;
    for (std::size_t i = 0; i < sinks.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (sinks[i].name.empty() || !same_name(sinks[i].name, sinks[j].name)) continue;
            const auto key = sink_key(sinks[i]) + ".name";
            found.add(
                all.where.at(key), key,
                "another sink is named " + in_quotes(sinks[j].name) +
                    ", expected names that differ in more than case, or - for _"
            );
            break;
        }
    }
}

/// Where the sink stores its events, if that is a file.
std::string* path_of(sink_settings& sink) {
    switch (sink.kind) {
    case sink_kind::sqlite: return &sink.sqlite.path;
    case sink_kind::file: return &sink.file.path;
    case sink_kind::log:
    case sink_kind::null: return nullptr;
    }
    return nullptr;
}

void put_in(std::string& path, const std::string& data_dir) {
    for (auto at = path.find(data_dir_mark); at != std::string::npos; at = path.find(data_dir_mark, at)) {
        path.replace(at, data_dir_mark.size(), data_dir);
        at += data_dir.size();
    }
}

/// Two writers would spoil a file for each other.
void check_path(
    const reading& all, const std::vector<std::string>& taken, const sink_settings& sink,
    const std::string& path, problems& found
) {
    for (const auto& other : taken) {
        if (std::filesystem::path{other}.lexically_normal() != std::filesystem::path{path}.lexically_normal())
            continue;
        const auto key = sink_key(sink) + ".path";
        found.add(
            place(all.where, key, sink_key(sink) + ".name"), key,
            "found " + in_quotes(path) + ", which another sink writes to, expected a path of its own"
        );
        return;
    }
}

void finish_paths(reading& all, problems& found) {
    std::vector<std::string> taken;
    for (auto& sink : all.result.sinks) {
        auto* path = path_of(sink);
        if (!path || sink.name.empty()) continue;
        put_in(*path, all.result.data_dir);
        check_path(all, taken, sink, *path, found);
        taken.push_back(*path);
    }
}

void check_data_dir(const reading& all, problems& found) {
    if (all.result.data_dir.find(data_dir_mark) == std::string::npos) return;
    found.add(all.where.at("data_dir"), "data_dir", "found {data_dir} in itself, expected a path");
}

} // namespace

void finish(reading& all, problems& found) {
    check_data_dir(all, found);
    check_ack(all, found);
    check_retry(all, found);
    check_names(all, found);
    finish_paths(all, found);
}

} // namespace trackd::config
