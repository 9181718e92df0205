// How far each sink has got, kept in one small file of the journal's directory.
#pragma once

#include "backlog/file_system.hpp"

#include <trackd/backlog.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace trackd::journal {

/// By the sink's name.
using cursors = std::map<std::string, cursor, std::less<>>;

struct kept_cursors {
    cursors all;
    std::string
        problem; ///< not empty: the file was there, but could not be trusted; it was set aside, and says where
};

/// Reads `<directory>/cursors`. A file that is not whole (its checksum does not hold, or it cannot be understood) is
/// renamed to `cursors.damaged`, because losing cursors only means delivering again.
/// @throws std::system_error if it cannot be read; std::runtime_error if a newer version of trackd wrote it
[[nodiscard]] kept_cursors read_cursors(file_system& files, const std::filesystem::path& directory);

/// The same, and touches nothing: for tools that look at a journal from outside.
[[nodiscard]] kept_cursors peek_cursors(file_system& files, const std::filesystem::path& directory);

/// Replaces the file: after a crash there is the old one or the new one, whole.
/// @throws std::system_error; the old one stands then
void write_cursors(file_system& files, const std::filesystem::path& directory, const cursors& all);

} // namespace trackd::journal
