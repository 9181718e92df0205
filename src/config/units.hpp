// Durations and sizes as people write them: "500ms", "64MiB".
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::config {

/// Reads a whole number and one of ms, s, m, h, d: "500ms", "24h". A bare "0" is a duration, too.
/// @return nothing if it is not one; what is too long to count becomes the longest duration
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;

/// Reads a whole number of bytes, or of B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of
/// 1024).
/// @return nothing if it is not one; what is too large to count becomes the largest size
[[nodiscard]] std::optional<std::size_t> parse_size(std::string_view text) noexcept;

/// In the largest unit that leaves a whole number. What comes out reads back to the same.
[[nodiscard]] std::string format(std::chrono::milliseconds duration);
[[nodiscard]] std::string format_size(std::size_t bytes);

} // namespace trackd::config
