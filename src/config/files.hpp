// Reads a whole small file, with a reason where that fails.
#pragma once

#include <cstddef>
#include <string>

namespace trackd::config {

/// Bytes that a configuration file may have.
inline constexpr std::size_t largest_configuration_file = 16 * 1024 * 1024;

/// @param most bytes that it may have
/// @throws std::runtime_error saying why not: "No such file or directory"
[[nodiscard]] std::string read_file(const std::string& path, std::size_t most);

} // namespace trackd::config
