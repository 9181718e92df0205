#include "backlog/cursor_file.hpp"

#include "base/ascii.hpp"
#include "base/crc32c.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

// A full disk must not keep the cursors from being written: segments are given up only after that, and it may be they
// that fill the disk. So the file has two slots, and a write goes over the older one, in blocks that the file has
// already. What is in a slot is text, so that it can be looked at, and zeros behind it:
//
//     trackd cursors 1
//     generation=42
//     archive start=1 at=1523 damaged=0
//     sqlite start=1 at=1600 damaged=0
//     checksum=0f1e2d3c
//
// What else a sink may count stands behind `damaged`, where it is not zero, and then its bookmark, where it has one. The
// version is 2 then, and 1 where no sink has anything of it: so an older trackd still reads a file that says nothing it
// does not know. Every version begins with such a line and ends with such a line. So a version that is newer than ours
// can be told from damage: its checksum holds.

namespace trackd::journal {

namespace {

constexpr std::string_view title = "trackd cursors ";
constexpr unsigned plain_version = 1;
constexpr unsigned our_version = 2;
constexpr std::string_view checksum_key = "checksum=";
constexpr std::size_t checksum_line_bytes = checksum_key.size() + 8 + 1;
constexpr std::string_view generation_key = "generation=";
constexpr std::string_view bookmark_key = "bookmark=";
constexpr std::size_t slots = 2;
constexpr std::size_t slot_bytes = std::size_t{16} * 1024; // for 52 sinks with the longest names
constexpr std::uint64_t file_bytes = slots * slot_bytes;
constexpr std::size_t longest_name = 64;

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= longest_name &&
           std::all_of(text.begin(), text.end(), base::fits_name);
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

/// What stands behind `damaged`, in this order.
struct extra_count {
    std::string_view key;
    std::uint64_t cursor::* in;
};

constexpr std::array extra_counts{
    extra_count{"filtered=", &cursor::filtered},
    extra_count{"dead_lettered=", &cursor::dead_lettered},
    extra_count{"skipped=", &cursor::skipped},
};

bool has_more(const cursors::value_type& sink) {
    const auto counts = [&](const extra_count& one) { return sink.second.*one.in > 0; };
    return !sink.second.bookmark.empty() || std::ranges::any_of(extra_counts, counts);
}

std::string encode_line(const std::string& name, const cursor& at) {
    auto line = fmt::format("{} start={} at={} damaged={}", name, at.start, at.at, at.damaged);
    for (const auto& [key, in] : extra_counts)
        if (at.*in > 0) line += fmt::format(" {}{}", key, at.*in);
    if (!at.bookmark.empty()) line += fmt::format(" {}{}", bookmark_key, at.bookmark);
    return line + '\n';
}

std::string encode(std::uint64_t generation, const cursors& all) {
    const auto version = std::ranges::any_of(all, has_more) ? our_version : plain_version;
    auto text = fmt::format("{}{}\n{}{}\n", title, version, generation_key, generation);
    for (const auto& [name, at] : all)
        text += encode_line(name, at);
    return text + checksum_line(text);
}

/// Of KEY=NUMBER.
std::optional<std::uint64_t> field(std::string_view key, std::string_view text) {
    return text.starts_with(key) ? number<std::uint64_t>(text.substr(key.size())) : std::nullopt;
}

/// Cuts off the next word, and the space behind it.
std::string_view take_word(std::string_view& from) {
    const auto all = std::exchange(from, {});
    const auto space = all.find(' ');
    if (space == all.npos) return all;
    from = all.substr(space + 1);
    return all.substr(0, space);
}

/// @param text what stands behind `damaged`
/// @return whether it was understood to its end
bool decode_more(std::string_view text, cursor& into) {
    auto word = take_word(text);
    for (const auto& [key, in] : extra_counts) {
        if (!word.starts_with(key)) continue;
        into.*in = field(key, word).value_or(0);
        if (into.*in == 0) return false;
        word = take_word(text);
    }
    if (word.starts_with(bookmark_key)) {
        into.bookmark = word.substr(bookmark_key.size());
        if (into.bookmark.empty() || !is_bookmark(into.bookmark)) return false;
        word = take_word(text);
    }
    return word.empty() && text.empty();
}

/// Without adding up what may be any number.
bool can_be(const cursor& at) {
    if (at.start < 1 || at.start > at.at) return false;
    auto left = at.at - at.start;
    for (const auto count : {at.damaged, at.filtered, at.dead_lettered, at.skipped}) {
        if (count > left) return false;
        left -= count;
    }
    return true;
}

/// @throws std::invalid_argument saying what is wrong with the line
std::pair<std::string, cursor> decode_line(std::string_view line) {
    auto rest = line;
    const auto name = take_until(rest, ' ').value_or("");
    const auto start = field("start=", take_until(rest, ' ').value_or(""));
    const auto at = field("at=", take_until(rest, ' ').value_or(""));
    const bool ends_in_space = rest.ends_with(' ');
    const auto damaged = field("damaged=", take_word(rest));
    cursor place;
    if (!is_name(name) || !start || !at || !damaged || ends_in_space || !decode_more(rest, place))
        throw std::invalid_argument{"is not understood; expected NAME start=NUMBER at=NUMBER damaged=NUMBER"};
    place.start = *start;
    place.at = *at;
    place.damaged = *damaged;
    if (!can_be(place))
        throw std::invalid_argument{"cannot be: expected 1 <= start <= at, and damaged <= at - start"};
    return {std::string{name}, place};
}

/// What was written at one time.
struct generation {
    std::uint64_t number = 0;
    cursors all;
};

/// Takes the first line, which tells what the others mean.
/// @throws std::invalid_argument if it is none; std::runtime_error if it is of a newer version
void take_title(std::string_view& content, const std::filesystem::path& path) {
    const auto first = take_until(content, '\n').value_or("");
    const auto version =
        first.starts_with(title) ? number<unsigned>(first.substr(title.size())) : std::nullopt;
    if (!version || *version < plain_version)
        throw std::invalid_argument{fmt::format("it does not begin with \"{}{}\"", title, plain_version)};
    if (*version > our_version)
        throw std::runtime_error{fmt::format(
            "{}: was written by a newer version of trackd (format {}; this one knows formats up to {}); run "
            "that version",
            path.string(), *version, our_version
        )};
}

/// @param lines whole ones, after the first two
/// @throws std::invalid_argument saying what is wrong with them
cursors decode_lines(std::string_view lines) {
    cursors all;
    for (unsigned line = 3; const auto text = take_until(lines, '\n'); ++line) {
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

/// @param text of a slot, without what stands behind it
/// @throws std::invalid_argument saying what is wrong with it; std::runtime_error if it is of a newer version
generation decode(std::string_view text, const std::filesystem::path& path) {
    if (text.empty()) throw std::invalid_argument{"it is empty"};
    auto content = text.substr(0, text.size() - std::min(text.size(), checksum_line_bytes));
    if (!content.ends_with('\n') || text.substr(content.size()) != checksum_line(content))
        throw std::invalid_argument{"its checksum does not hold"};
    take_title(content, path);
    const auto written = field(generation_key, take_until(content, '\n').value_or(""));
    if (!written) throw std::invalid_argument{"line 2 is not understood; expected generation=NUMBER"};
    return {*written, decode_lines(content)};
}

/// One of the places in the file.
struct slot {
    std::optional<generation> kept;
    std::string problem; ///< why there is nothing kept
};

using both_slots = std::array<slot, slots>;

/// @throws std::runtime_error if it is of a newer version
slot read_slot(file& from, std::size_t which, const std::filesystem::path& path) {
    std::string text(slot_bytes, '\0');
    text.resize(read_fully(from, which * slot_bytes, text));
    text.resize(std::min(text.find('\0'), text.size()));
    try {
        return {decode(text, path), {}};
    } catch (const std::invalid_argument& why) {
        return {{}, why.what()};
    }
}

both_slots read_slots(file& from, const std::filesystem::path& path) {
    return {read_slot(from, 0, path), read_slot(from, 1, path)};
}

/// A slot that was not written to its end, or rotted, is passed over without a word: there is the other one.
/// @return which; nothing if none is sound
std::optional<std::size_t> newest_of(const both_slots& found) {
    const auto& [first, second] = found;
    if (!first.kept && !second.kept) return {};
    if (!first.kept || !second.kept) return first.kept ? 0 : 1;
    return second.kept->number > first.kept->number ? 1 : 0;
}

kept_cursors read_from(file& open, const std::filesystem::path& path) {
    auto found = read_slots(open, path);
    if (const auto newest = newest_of(found)) return {std::move(found[*newest].kept->all), {}};
    return {
        {},
        fmt::format(
            "{}: the sinks' cursors cannot be trusted: the first slot: {}; the second slot: {}",
            path.string(), found[0].problem, found[1].problem
        )
    };
}

std::filesystem::path path_in(const std::filesystem::path& directory) {
    return directory / "cursors";
}

/// @return nothing if there is no such file
std::unique_ptr<file> open_if_there(file_system& files, const std::filesystem::path& path, open_mode mode) {
    try {
        return files.open(path, mode);
    } catch (const std::system_error& failure) {
        if (failure.code() != std::errc::no_such_file_or_directory) throw;
    }
    return {};
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

/// A sync that failed is not tried again on the same file: of another size, it is made anew by the next write.
void sync_or_give_up(file& open) {
    try {
        open.sync();
    } catch (const std::system_error&) {
        open.truncate(file_bytes - 1); // which is a zero
        throw;
    }
}

void write_slot(file& to, std::size_t which, const generation& what) {
    const auto begin = which * slot_bytes;
    auto text = encode(what.number, what.all);
    text.resize(slot_bytes);
    try {
        write_fully(to, begin, text);
        sync_or_give_up(to);
    } catch (const std::system_error&) {
        // It may read as written, and yet not be on the disk. The other slot is, and must be the newest still.
        write_zeros(to, begin, std::min(begin + slot_bytes, to.size()));
        throw;
    }
}

/// @return false if there is no file that this can be done with
bool write_in_place(file_system& files, const std::filesystem::path& path, const cursors& all) {
    const auto open = open_if_there(files, path, open_mode::write);
    if (!open) return false;
    const auto found = read_slots(*open, path);
    const auto newest = newest_of(found);
    if (!newest || open->size() != file_bytes) return false;
    write_slot(*open, 1 - *newest, {found[*newest].kept->number + 1, all});
    return true;
}

/// All of it is really written, and not only reserved: there are file systems that need room for the first write to
/// what was reserved.
void write_anew(file_system& files, const std::filesystem::path& directory, const cursors& all) {
    const auto path = path_in(directory);
    const auto fresh = path.string() + ".new";
    const auto open = create_anew(files, fresh);
    open->reserve(file_bytes);
    write_zeros(*open, slot_bytes, file_bytes);
    write_slot(*open, 0, {1, all});
    files.rename(fresh, path);
    try {
        files.sync_directory(directory);
    } catch (const std::system_error&) {
        files.rename(path, fresh); // or the next write would find it, and its name would never be made safe
        throw;
    }
}

/// So that the same sinks fit at every position.
void check_room(const std::filesystem::path& path, cursors all) {
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    for (auto& [name, at] : all)
        at = {largest, largest, largest, largest, largest, largest, std::string(max_bookmark_bytes, 'x')};
    const auto bytes = encode(largest, all).size();
    if (bytes >= slot_bytes)
        throw std::length_error{fmt::format(
            "{}: the cursors of {} sinks may take {} bytes, and there is room for {}; expected fewer sinks, "
            "or shorter names",
            path.string(), all.size(), bytes, slot_bytes - 1
        )};
}

} // namespace

kept_cursors peek_cursors(file_system& files, const std::filesystem::path& directory) {
    const auto path = path_in(directory);
    const auto open = open_if_there(files, path, open_mode::read);
    return open ? read_from(*open, path) : kept_cursors{};
}

kept_cursors read_cursors(file_system& files, const std::filesystem::path& directory) {
    const auto path = path_in(directory);
    const auto open = open_if_there(files, path, open_mode::write);
    if (!open) return {};
    auto found = read_from(*open, path);
    if (found.problem.empty()) {
        // A process that was killed may not have come to it.
        if (open->size() == file_bytes) sync_or_give_up(*open);
    } else {
        const auto aside = path.string() + ".damaged";
        files.rename(path, aside);
        found.problem += fmt::format("; the file is set aside as {}", aside);
    }
    files.sync_directory(directory);
    return found;
}

void check_sink_name(std::string_view name) {
    if (!is_name(name))
        throw std::invalid_argument{fmt::format(
            "sink name \"{}\": expected letters, digits, - and _, 1 to {} bytes", name, longest_name
        )};
}

void check_fit(const std::filesystem::path& directory, const cursors& all) {
    for (const auto& [name, at] : all) {
        check_sink_name(name);
        if (!is_bookmark(at.bookmark))
            throw std::invalid_argument{fmt::format(
                "sink {}: its bookmark cannot be kept; expected small letters, digits, colons, dots and "
                "hyphens, at most {}",
                name, max_bookmark_bytes
            )};
    }
    check_room(path_in(directory), all);
}

void write_cursors(file_system& files, const std::filesystem::path& directory, const cursors& all) {
    check_fit(directory, all);
    if (!write_in_place(files, path_in(directory), all)) write_anew(files, directory, all);
}

} // namespace trackd::journal
