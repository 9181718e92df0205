// System calls on files, whose errors say what failed, and on which file.
#pragma once

#include "base/descriptor.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace trackd::sinks {

/// Throws what `errno` says: "cannot open /the/path: …".
/// @throws std::system_error, always
[[noreturn]] void fail(std::string_view what, const std::filesystem::path& path);

/// A file that is made is its owner's alone (0600).
/// @throws std::system_error
[[nodiscard]] base::descriptor open_or_fail(const std::filesystem::path& path, int flags);

/// @return how many bytes were read; 0: there are no more
/// @throws std::system_error
[[nodiscard]] std::size_t read_some(int fd, std::span<char> into, const std::filesystem::path& path);

/// Writes all of it.
/// @throws std::system_error; some of it may be written then
void write_out(int fd, std::string_view bytes, const std::filesystem::path& path);

/// Returns when the disk has all that was written (fdatasync).
/// @throws std::system_error
void sync_data(int fd, const std::filesystem::path& path);

/// So that a file that was made, renamed or removed in it stays so after a power cut.
/// @throws std::system_error
void sync_directory(const std::filesystem::path& directory);

/// Makes the directory, and those above it, where they are missing, for their owner alone (0700): they survive a power cut.
/// Whether what is there is a directory is left to the use of it.
/// @throws std::system_error
void make_directories(const std::filesystem::path& directory);

} // namespace trackd::sinks
