// SHA-256: what a configuration knows of a key.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::base {

using sha256_digest = std::array<unsigned char, 32>;

[[nodiscard]] sha256_digest sha256(std::string_view text);

/// Whether they are the same, in a time that does not depend on where they differ.
[[nodiscard]] bool same_in_constant_time(const sha256_digest& one, const sha256_digest& other) noexcept;

/// The same for texts; only their lengths may show.
[[nodiscard]] bool same_in_constant_time(std::string_view one, std::string_view other) noexcept;

/// 64 hexadecimal digits in lower case.
[[nodiscard]] std::string to_hex(const sha256_digest& digest);

/// @return nothing if the text is not 64 hexadecimal digits
[[nodiscard]] std::optional<sha256_digest> sha256_from_hex(std::string_view hex) noexcept;

} // namespace trackd::base
