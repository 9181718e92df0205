// How far each sink has got, kept in one small file of the journal's directory.
#pragma once

#include "backlog/file_system.hpp"

#include <trackd/backlog.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace trackd::journal {

/// By the sink's name.
using cursors = std::map<std::string, cursor, std::less<>>;

struct kept_cursors {
    cursors all;
    /// Not empty: the file was there, but could not be trusted, and why; and where it was set aside.
    std::string problem;
};

/// Reads `<directory>/cursors`, and makes safe what it has read: no power cut brings back older ones. A file that is not
/// whole (no cursors in it have a checksum that holds, or they cannot be understood) is renamed to `cursors.damaged`,
/// because losing cursors only means delivering again. What an interrupted write has left is no problem: the cursors
/// before it count.
/// @throws std::system_error if it cannot be read; std::runtime_error if a newer version of trackd wrote it
[[nodiscard]] kept_cursors read_cursors(file_system& files, const std::filesystem::path& directory);

/// The same, and touches nothing: for tools that look at a journal from outside.
[[nodiscard]] kept_cursors peek_cursors(file_system& files, const std::filesystem::path& directory);

/// The file can hold a sink of this name: letters, digits, - and _, 1 to 64 bytes.
/// @throws std::invalid_argument if not, saying what was expected
void check_sink_name(std::string_view name);

/// All these sinks fit into the file, however far they get, and whatever their bookmarks become.
/// @throws as `write_cursors` does for names, bookmarks and numbers of sinks
void check_fit(const std::filesystem::path& directory, const cursors& all);

/// Writes the file: after a crash there are the old cursors or the new ones, whole. Needs no room on the disk where the
/// file is there already.
/// @throws std::invalid_argument for a name that the file cannot hold (see `check_sink_name`), or a bookmark that is
/// none (see `is_bookmark`); std::length_error if there
/// are too many sinks for it, which depends on their names only; std::system_error if it cannot be written, and
/// std::runtime_error if a newer version of trackd wrote what is there. The old cursors stand then
void write_cursors(file_system& files, const std::filesystem::path& directory, const cursors& all);

} // namespace trackd::journal
