// What a journal does first: looks at the directory that an earlier process left, however it ended, and mends the end
// of it.
#pragma once

#include "backlog/commit_writer.hpp"
#include "backlog/cursor_file.hpp"
#include "backlog/file_system.hpp"
#include "backlog/segment_store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace trackd::journal {

/// A journal as it was found, and as it goes on.
struct recovered {
    std::vector<segment_file> segments; ///< in order
    std::vector<std::filesystem::path> spares;
    commit_writer::start goes_on;
    std::uint64_t torn_bytes = 0; ///< cut off behind the last whole record, and set aside
    std::uint64_t damaged_bytes =
        0; ///< of segments whose header cannot be read; other damage is found by readers
};

/// Reads the headers of all segments, and all of the newest one. What is torn at its end is cut off, and
/// a segment without a sound header set aside; both are logged. What a crash left half made is removed.
///
/// Nothing is written to a segment that was recovered: the journal goes on in a new one. It may be interrupted at any
/// point and called again.
/// @param kept the cursors, which positions never fall behind
/// @throws std::runtime_error if a newer version wrote a segment; std::system_error if the disk fails
[[nodiscard]] recovered recover(
    file_system& files, const std::filesystem::path& directory, const cursors& kept,
    std::uint64_t segment_bytes
);

/// Why a segment that a newer version wrote stops a start.
[[nodiscard]] std::string newer_format(const std::string& path, const segment_header& header);

} // namespace trackd::journal
