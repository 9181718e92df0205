// Whether a file can be opened or made, found out without making anything.
#pragma once

#include <filesystem>

namespace trackd::base {

/// What the owner of a file does about directories of its path that do not exist.
enum class missing_directories { refused, made };

/// Finds out whether there is something at the path; symbolic links are followed.
/// @return false: there is not, but a file can be made there
/// @throws std::system_error `cannot open PATH: …` if that is not known, or if no file can be made
[[nodiscard]] bool exists_or_can_be_made(const std::filesystem::path& path, missing_directories parents);

/// The file that an open(2) of the path reaches or makes: absolute, and without symbolic links.
[[nodiscard]] std::filesystem::path resolve_links(std::filesystem::path path);

} // namespace trackd::base
