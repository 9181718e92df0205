// `trackd key …`: makes what a client needs to send events, and what the configuration needs to let it.
#pragma once

#include <string>
#include <string_view>

namespace trackd::service {

/// A key that nobody can guess: `trk_` and 256 random bits in letters, digits, - and _.
/// @throws std::system_error if the system has no randomness to give
[[nodiscard]] std::string make_key();

/// A new key, and the `[[keys]]` with its hash, as the terminal shows them.
/// @param name letters, digits, - and _
[[nodiscard]] std::string new_key_text(std::string_view name);

} // namespace trackd::service
