// `trackd key …`: makes what a client needs to send events, and what the configuration needs to let it.
#pragma once

#include "config/settings.hpp"
#include "service/command_line.hpp"

#include <iosfwd>
#include <string>
#include <string_view>

namespace trackd::service {

/// A key that nobody can guess: `trk_` and 256 random bits in letters, digits, - and _.
/// @throws std::system_error if the system has no randomness to give
[[nodiscard]] std::string make_key();

/// A new key, and the `[[keys]]` with its hash, as the terminal shows them.
/// @param name letters, digits, - and _
[[nodiscard]] std::string new_key_text(std::string_view name);

/// A new key for a name that the configuration has, and the line with which the old keys are accepted, too.
/// @throws std::runtime_error if no key has this name, or this one has all hashes that it may have
[[nodiscard]] std::string rotated_key_text(std::string_view name, const config::settings& settings);

/// @param sources of the configuration, which `new` does not read
/// @return the exit status
/// @throws std::exception whose text is one line for the operator, also where the output cannot be written
int run_key_command(const key_line& line, const config::sources& sources, std::ostream& out);

} // namespace trackd::service
