#include "sinks/rotated_files.hpp"

#include "base/log.hpp"
#include "base/rfc3339.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view packed_extension = ".zst";

// RFC 3339's date-time without what file names and shells dislike: 20261121T081530.000000Z. Sorts like the
// time.
std::string stamp(wall_time time) {
    std::string text;
    base::append_rfc3339(text, time);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

std::optional<wall_time> parse_stamp(std::string_view text) {
    constexpr std::string_view shape = "00000000T000000.000000Z";
    if (text.size() != shape.size()) return {};
    std::string full{text};
    for (const std::size_t at : {4U, 7U})
        full.insert(at, 1, '-');
    for (const std::size_t at : {13U, 16U})
        full.insert(at, 1, ':');
    const auto time = base::parse_rfc3339(full);
    return time && stamp(*time) == text ? time : std::nullopt;
}

} // namespace

rotated_files::rotated_files(fs::path current)
    : directory_{current.parent_path()}, stem_{current.stem().string()},
      extension_{current.extension().string()} {}

fs::path rotated_files::next(wall_time now) const {
    // The wall clock may have been set back since the last one was closed. The order is that of closing even so: which
    // files are the oldest, to be removed, does not depend on the clock.
    const auto closed = list();
    if (!closed.empty()) now = std::max(now, *closed_at(closed.back()) + std::chrono::microseconds{1});
    return name(now);
}

bool rotated_files::is_ahead(const fs::path& closed, wall_time now) const {
    constexpr std::chrono::minutes tolerated{1}; // a clock that is adjusted, and files closed within a moment
    return closed_at(closed).value_or(now) - now > tolerated;
}

std::vector<fs::path> rotated_files::list() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator{directory_}) {
        if (closed_at(entry.path())) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    std::vector<fs::path> once;
    for (auto& file : found)
        if (once.empty() || packed(once.back()) != file) once.push_back(std::move(file));
    return once;
}

void rotated_files::prune(std::size_t keep) const {
    if (keep == 0) return;
    auto files = list();
    if (files.size() <= keep) return;
    files.resize(files.size() - keep);
    for (const auto& file : files) {
        std::error_code error;
        if (!is_packed(file)) fs::remove(packed(file), error);
        fs::remove(file, error);
        if (error) base::log().warn("cannot remove {}: {}", file.string(), error.message());
    }
}

fs::path rotated_files::packed(const fs::path& closed) {
    return closed.string() + std::string{packed_extension};
}

bool rotated_files::is_packed(const fs::path& closed) const {
    return !stamp_in(closed.filename().string());
}

std::optional<wall_time> rotated_files::closed_at(const fs::path& file) const {
    const auto name = file.filename().string();
    if (const auto time = stamp_in(name)) return time;
    if (!name.ends_with(packed_extension)) return {};
    return stamp_in(std::string_view{name}.substr(0, name.size() - packed_extension.size()));
}

std::optional<wall_time> rotated_files::stamp_in(std::string_view name) const {
    if (!name.starts_with(stem_ + '-') || !name.ends_with(extension_)) return {};
    if (name.size() < stem_.size() + 1 + extension_.size()) return {};
    name.remove_prefix(stem_.size() + 1);
    name.remove_suffix(extension_.size());
    return parse_stamp(name);
}

fs::path rotated_files::name(wall_time closed_at) const {
    return directory_ / (stem_ + '-' + stamp(closed_at) + extension_);
}

} // namespace trackd::sinks
