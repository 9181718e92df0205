// The order of load.cpp, without its rules.
#include "config/lenient.hpp"

#include "config/files.hpp"
#include "config/overlay.hpp"
#include "config/read.hpp"
#include "config/toml.hpp"
#include "config/toml_scan.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::config {
namespace {

constexpr std::string_view set_option = "--set ";
constexpr auto wanted = std::to_array<std::string_view>({"data_dir", "admin"});

bool is_wanted(std::string_view key) {
    return std::ranges::find(wanted, key) != wanted.end();
}

/// @param problem is set to why the file is not read as a whole
table read_document(const std::optional<std::string>& file, std::string& problem) {
    if (!file) return {};
    std::string text;
    try {
        text = read_file(*file, largest_configuration_file);
    } catch (const std::exception& failure) {
        problem = *file + ": cannot be read: " + failure.what();
        return {};
    }
    try {
        auto document = std::get<table>(parse_toml(text, *file).content);
        std::erase_if(document, [](const member& entry) { return !is_wanted(entry.key); });
        return document;
    } catch (const error& wrong) {
        problem = wrong.lines().front();
        return scan_toml(text, wanted);
    }
}

std::string_view key_of(std::string_view set) {
    return set.substr(0, set.find_first_of(".="));
}

// Sinks and keys may be named that only the file has.
void check_typed(const sources& from) {
    std::vector<std::string> typed;
    for (const auto& given : from.set)
        if (key_of(given) != "sinks" && key_of(given) != "keys") typed.push_back(given);
    value root{table{}, {}};
    auto& document = std::get<table>(root.content);
    problems found;
    overlay(document, from.environment, typed, found);
    static_cast<void>(read(document, found));
    auto lines = found.lines();
    std::erase_if(lines, [](const auto& line) { return !line.starts_with(set_option); });
    if (!lines.empty()) throw error{std::move(lines)};
}

bool is_typed(const reading& all, std::string_view key) {
    const auto found = all.where.find(key);
    return found != all.where.end() && found->second.place.starts_with(set_option);
}

} // namespace

daemon_location load_location(const sources& from) {
    check_typed(from);
    daemon_location location;
    value root{read_document(from.file, location.problem), {}};
    problems found;
    expand(root, from.environment, found);
    auto& document = std::get<table>(root.content);
    problems ignored; // of sinks and keys that were not read
    overlay(document, from.environment, from.set, ignored);
    std::erase_if(document, [](const member& entry) { return !is_wanted(entry.key); });
    auto all = read(document, found);
    if (const auto lines = found.lines(); location.problem.empty() && !lines.empty())
        location.problem = lines.front();
    location.data_dir = std::move(all.result.data_dir);
    location.admin = std::move(all.result.admin);
    location.data_dir_given = all.where.contains("data_dir") && !all.wrong.contains("data_dir");
    location.listen_typed = is_typed(all, "admin.listen");
    location.token_typed = is_typed(all, "admin.token");
    location.certificate_typed = is_typed(all, "admin.tls.certificate");
    return location;
}

} // namespace trackd::config
