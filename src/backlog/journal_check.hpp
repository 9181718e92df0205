// Whether a start can take up the journal, found out without making or changing anything, also beside a daemon that uses it.
#pragma once

#include "backlog/file_system.hpp"

#include <filesystem>

namespace trackd::journal {

/// A directory that does not exist, or is empty, is a journal that begins. Damage is no error: a start sets it aside.
/// @throws std::runtime_error if a newer version of trackd wrote it, or if it cannot be read
void check_journal(file_system& files, const std::filesystem::path& directory);

} // namespace trackd::journal
