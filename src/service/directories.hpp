// Directories that the daemon makes for itself.
#pragma once

#include <string>

namespace trackd::service {

/// Makes sure that there is one that may be written to: makes it, readable for its owner alone, if there is none.
/// @param kind what it is, for the error
/// @throws std::runtime_error with one line for the operator
void make_directory(const std::string& path, const std::string& kind);

/// Finds out whether `make_directory` can work, and makes nothing.
/// @throws as `make_directory`
void check_directory(const std::string& path, const std::string& kind);

} // namespace trackd::service
