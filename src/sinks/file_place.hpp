// A place in a row of files of lines, told by what is in them: it is found again whatever a file is called by then, copied,
// or packed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace trackd::sinks {

/// The default is the place before all files.
struct file_place {
    std::string fingerprint = {}; ///< of the file
    std::uint64_t offset = 0;     ///< in its lines, unpacked

    bool operator==(const file_place&) const = default;
};

/// @param line the first one of a file, with or without its end
/// @return 16 hexadecimal digits
[[nodiscard]] std::string fingerprint_of_line(std::string_view line);

/// @return empty, if there is nothing in the file
/// @throws as `file_reader`
[[nodiscard]] std::string fingerprint_of(const std::filesystem::path& file);

/// Where the file ends, packed or not; nothing if there is nothing in it.
/// @throws as `file_reader`
[[nodiscard]] std::optional<file_place>
end_of(const std::filesystem::path& file, const std::stop_token& stop = {});

/// `fingerprint:offset`, or `start`: what `is_bookmark` allows.
[[nodiscard]] std::string to_bookmark(const file_place& place);

/// @return nothing if `to_bookmark` does not write such a text
[[nodiscard]] std::optional<file_place> place_from(std::string_view bookmark);

} // namespace trackd::sinks
