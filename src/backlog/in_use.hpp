// Whether somebody works on a journal: asked by those who only look at it, and must not be in anybody's way.
#pragma once

#include <filesystem>

namespace trackd::journal {

/// Whether a process holds the directory's lock. Takes nothing from anybody, not even for a moment: a daemon that starts
/// meanwhile is not refused.
/// @return false, too, where that cannot be found out
[[nodiscard]] bool is_in_use(const std::filesystem::path& directory) noexcept;

} // namespace trackd::journal
