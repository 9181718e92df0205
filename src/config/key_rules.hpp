// Rules for `[[keys]]` that hold in the configuration and for `trackd key` alike.
#pragma once

#include "config/problems.hpp"
#include "config/read.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace trackd::config {

/// The number of hashes that one key may have.
inline constexpr std::size_t max_key_hashes = 16;

/// The digits of one hash.
inline constexpr std::size_t key_hash_digits = 64;

/// @param name letters, digits, - and _
/// @return why no key can have this name, as `found …, expected …`; empty if a key can
[[nodiscard]] std::string key_name_error(std::string_view name);

/// Whether the text contains what `trackd key new` makes for a client.
[[nodiscard]] bool contains_key(std::string_view text);

/// The text with each such key replaced by `trk_…`: errors reach logs and terminals, where no key belongs.
[[nodiscard]] std::string without_keys(std::string_view text);

/// The first 8 digits of a hash, which tell the hashes of a key apart in `/status` and the log.
[[nodiscard]] std::string_view fingerprint(std::string_view hash) noexcept;

/// Reports names and hashes that are not unique, and names that no key can have.
void check_keys(const reading& all, problems& found);

} // namespace trackd::config
