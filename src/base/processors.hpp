// How many processors we may really use.
#pragma once

#include <filesystem>

namespace trackd::base {

/// Counts the processors of our affinity mask, and takes the cgroup's quota (version 1 or 2), rounded up,
/// where it is smaller: a container with half a processor should not run sixteen threads.
/// @param root where `proc` and `sys` are found: tests have their own
/// @return at least 1
[[nodiscard]] unsigned usable_processors(const std::filesystem::path& root = "/");

} // namespace trackd::base
