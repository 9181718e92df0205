#include "sinks/file_place.hpp"

#include "base/sha256.hpp"
#include "sinks/packed_file.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t digits = 16;
constexpr std::string_view before_all = "start";

// An event's id and source stand at the front of its line. However large the event is, this is enough of it.
constexpr std::size_t most_bytes = std::size_t{64} * 1024;

} // namespace

std::string fingerprint_of_line(std::string_view line) {
    line = line.substr(0, most_bytes);
    return base::to_hex(base::sha256(line.substr(0, line.find('\n')))).substr(0, digits);
}

std::string fingerprint_of(const fs::path& file) {
    file_reader reader{file};
    std::string line;
    while (line.size() < most_bytes && line.find('\n') == line.npos) {
        const auto piece = reader.peek();
        if (piece.empty()) break;
        line += piece.substr(0, most_bytes - line.size());
        reader.consume(piece.size());
    }
    return line.empty() ? std::string{} : fingerprint_of_line(line);
}

std::optional<file_place> end_of(const fs::path& file, const std::stop_token& stop) {
    file_place end{fingerprint_of(file)};
    if (end.fingerprint.empty()) return {};
    file_reader reader{file};
    const auto stated = reader.stated_size(); // unpacking all of it could take long
    end.offset = stated ? *stated : reader.skip(std::numeric_limits<std::uint64_t>::max(), stop);
    return end;
}

std::string to_bookmark(const file_place& place) {
    if (place == file_place{}) return std::string{before_all};
    return place.fingerprint + ':' + std::to_string(place.offset);
}

std::optional<file_place> place_from(std::string_view bookmark) {
    if (bookmark == before_all) return file_place{};
    if (bookmark.size() < digits + 2 || bookmark[digits] != ':') return {};
    file_place place{std::string{bookmark.substr(0, digits)}};
    const auto number = bookmark.substr(digits + 1);
    const auto* const end = number.data() + number.size();
    const auto [stopped, error] = std::from_chars(number.data(), end, place.offset);
    if (error != std::errc{} || stopped != end || to_bookmark(place) != bookmark) return {};
    if (place.fingerprint.find_first_not_of("0123456789abcdef") != place.fingerprint.npos) return {};
    return place;
}

} // namespace trackd::sinks
