// Collecting what is wrong in the order in which it was written, and throwing it.
#include "config/problems.hpp"

#include "config/key_rules.hpp"
#include "config/load.hpp"

#include <algorithm>
#include <tuple>

namespace trackd::config {
namespace {

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines)
        text += (text.empty() ? "" : "\n") + line;
    return text;
}

} // namespace

error::error(std::vector<std::string> lines)
    : std::runtime_error{without_keys(joined(lines))}, lines_{std::move(lines)} {
    for (auto& line : lines_)
        line = without_keys(line);
}

void problems::add(const origin& where, std::string what) {
    const auto comes_before = [](const origin& left, const problem& right) {
        const auto order = [](const origin& of) { return std::tie(of.layer, of.line, of.column); };
        return order(left) < order(right.where);
    };
    found_.insert(
        std::upper_bound(found_.begin(), found_.end(), where, comes_before), {where, std::move(what)}
    );
}

void problems::add(const origin& where, std::string_view key, std::string_view what) {
    add(where, where.key == key ? std::string{what} : std::string{key}.append(": ").append(what));
}

std::vector<std::string> problems::lines() const {
    std::vector<std::string> lines;
    lines.reserve(found_.size());
    for (const auto& [where, what] : found_)
        lines.push_back(without_keys(where.place + ": " + what));
    return lines;
}

void problems::throw_if_any() const {
    if (!empty()) throw error{lines()};
}

} // namespace trackd::config
