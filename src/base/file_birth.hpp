// Tells a file from a later one: an inode's number serves again, often for the very next file.
#pragma once

#include <filesystem>
#include <optional>

namespace trackd::base {

struct file_birth {
    unsigned long long inode = 0;
    long long nanoseconds = 0; ///< since 1970; 0 where the file system keeps no time of birth

    bool operator==(const file_birth&) const = default;
};

/// Symbolic links are followed.
/// @return nothing if the file cannot be looked up
[[nodiscard]] std::optional<file_birth> find_birth(const std::filesystem::path& file) noexcept;

} // namespace trackd::base
