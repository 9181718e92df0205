#include "backlog/cursor_file.hpp"

#include "base/crc32c.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

// The file is text, so that it can be looked at:
//
//     trackd cursors 1
//     archive start=1 at=1523 damaged=0
//     sqlite start=1 at=1600 damaged=0
//     checksum=0f1e2d3c
//
// Every version begins with such a line and ends with such a line. So a version that is newer than ours can be told
// from damage: its checksum holds.

namespace trackd::journal {

namespace {

constexpr std::string_view title = "trackd cursors ";
constexpr unsigned our_version = 1;
constexpr std::string_view checksum_key = "checksum=";
constexpr std::size_t checksum_line_bytes = checksum_key.size() + 8 + 1;
constexpr std::uint64_t largest_file = std::uint64_t{16} << 20U; // thousands of sinks
constexpr std::size_t longest_name = 64;

bool fits_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), fits_name);
}

/// Written in one way only: no sign, no leading zero.
template <class Number>
std::optional<Number> number(std::string_view text) {
    Number value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return {};
    return text.starts_with('0') && text.size() > 1 ? std::nullopt : std::optional{value};
}

/// Cuts off what stands before the separator, and the separator.
std::optional<std::string_view> take_until(std::string_view& from, char separator) {
    const auto at = from.find(separator);
    if (at == from.npos) return {};
    const auto taken = from.substr(0, at);
    from.remove_prefix(at + 1);
    return taken;
}

std::string checksum_line(std::string_view content) {
    return fmt::format("{}{:08x}\n", checksum_key, base::crc32c(content));
}

std::string encode(const cursors& all) {
    auto text = fmt::format("{}{}\n", title, our_version);
    for (const auto& [name, at] : all)
        text += fmt::format("{} start={} at={} damaged={}\n", name, at.start, at.at, at.damaged);
    return text + checksum_line(text);
}

/// @throws std::invalid_argument saying what is wrong with the line
std::pair<std::string, cursor> decode_line(std::string_view line) {
    auto rest = line;
    const auto field = [&rest](std::string_view key, std::string_view text) {
        return text.starts_with(key) ? number<std::uint64_t>(text.substr(key.size())) : std::nullopt;
    };
    const auto name = take_until(rest, ' ').value_or("");
    const auto start = field("start=", take_until(rest, ' ').value_or(""));
    const auto at = field("at=", take_until(rest, ' ').value_or(""));
    const auto damaged = field("damaged=", rest);
    if (!is_name(name) || !start || !at || !damaged)
        throw std::invalid_argument{"is not understood; expected NAME start=NUMBER at=NUMBER damaged=NUMBER"};
    if (*start < 1 || *start > *at || *damaged > *at - *start)
        throw std::invalid_argument{"cannot be: expected 1 <= start <= at, and damaged <= at - start"};
    return {std::string{name}, {*start, *at, *damaged}};
}

/// @param content whole lines, whose checksum holds
/// @throws std::invalid_argument saying what is wrong with it; std::runtime_error if it is of a newer version
cursors decode(std::string_view content, const std::filesystem::path& path) {
    const auto first = take_until(content, '\n').value_or("");
    const auto version =
        first.starts_with(title) ? number<unsigned>(first.substr(title.size())) : std::nullopt;
    if (!version || *version < our_version)
        throw std::invalid_argument{fmt::format("it does not begin with \"{}{}\"", title, our_version)};
    if (*version > our_version)
        throw std::runtime_error{fmt::format(
            "{}: was written by a newer version of trackd (format {}; this one knows formats up to {}); run "
            "that version",
            path.string(), *version, our_version
        )};
    cursors all;
    for (unsigned line = 2; const auto text = take_until(content, '\n'); ++line) {
        try {
            auto [name, at] = decode_line(*text);
            // In their order, so that none can be there twice.
            if (!all.empty() && all.rbegin()->first >= name)
                throw std::invalid_argument{"has a name that does not come after the one before it"};
            all.emplace_hint(all.end(), std::move(name), at);
        } catch (const std::invalid_argument& why) {
            throw std::invalid_argument{fmt::format("line {} {}", line, why.what())};
        }
    }
    return all;
}

/// @return nothing if there is no such file
std::optional<std::string> content_of(file_system& files, const std::filesystem::path& path) {
    std::unique_ptr<file> open;
    try {
        open = files.open(path, open_mode::read);
    } catch (const std::system_error& failure) {
        if (failure.code() == std::errc::no_such_file_or_directory) return {};
        throw;
    }
    std::string text(std::min(open->size(), largest_file + 1), '\0');
    text.resize(read_fully(*open, 0, text));
    return text;
}

/// As `decode`, of the whole file.
cursors decode_file(std::string_view text, const std::filesystem::path& path) {
    if (text.size() > largest_file)
        throw std::invalid_argument{fmt::format("it is larger than {} bytes", largest_file)};
    const auto content = text.substr(0, text.size() - std::min(text.size(), checksum_line_bytes));
    if (!content.ends_with('\n') || text.substr(content.size()) != checksum_line(content))
        throw std::invalid_argument{"its checksum does not hold"};
    return decode(content, path);
}

std::filesystem::path path_in(const std::filesystem::path& directory) {
    return directory / "cursors";
}

/// Made anew: what is there was left by a write that never finished.
std::unique_ptr<file> create_anew(file_system& files, const std::filesystem::path& path) {
    try {
        return files.open(path, open_mode::create);
    } catch (const std::system_error& failure) {
        if (failure.code() != std::errc::file_exists) throw;
    }
    files.remove(path);
    return files.open(path, open_mode::create);
}

} // namespace

kept_cursors peek_cursors(file_system& files, const std::filesystem::path& directory) {
    const auto path = path_in(directory);
    const auto text = content_of(files, path);
    if (!text) return {};
    try {
        return {decode_file(*text, path), {}};
    } catch (const std::invalid_argument& why) {
        return {{}, fmt::format("{}: the sinks' cursors cannot be trusted: {}", path.string(), why.what())};
    }
}

kept_cursors read_cursors(file_system& files, const std::filesystem::path& directory) {
    auto found = peek_cursors(files, directory);
    if (found.problem.empty()) return found;
    const auto path = path_in(directory);
    const auto aside = path.string() + ".damaged";
    files.rename(path, aside);
    found.problem += fmt::format("; the file is set aside as {}", aside);
    return found;
}

void write_cursors(file_system& files, const std::filesystem::path& directory, const cursors& all) {
    for (const auto& [name, at] : all) {
        if (!is_name(name))
            throw std::invalid_argument{fmt::format(
                "a sink's cursor cannot be kept under the name \"{}\"; expected letters, digits, - and _, 1 "
                "to {} bytes",
                name, longest_name
            )};
    }
    const auto path = path_in(directory);
    const auto fresh = path.string() + ".new";
    const auto text = encode(all);
    const auto open = create_anew(files, fresh);
    write_fully(*open, 0, text);
    open->sync();
    files.rename(fresh, path);
    files.sync_directory(directory);
}

} // namespace trackd::journal
