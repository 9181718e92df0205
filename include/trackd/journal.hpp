// The backlog on disk: an event in it survives SIGKILL, a power cut, and a sink that is down for hours.
#pragma once

#include <trackd/backlog.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace trackd {

/// When a commit counts as stored.
enum class journal_sync {
    always,   ///< when fdatasync has returned
    interval, ///< when it is written; fdatasync follows every `sync_interval`
    never,    ///< when it is written; the system syncs when it likes
};

struct journal_options {
    std::filesystem::path directory;              ///< made if missing; its parent must exist
    std::uint64_t segment_bytes = 64ULL << 20U;   ///< at least 64 KiB
    std::uint64_t max_bytes = 8ULL << 30U;        ///< of all segments; at least two segments
    std::uint64_t min_free_bytes = 256ULL << 20U; ///< that are left to others on the same disk
    journal_sync sync = journal_sync::always;
    std::chrono::milliseconds sync_interval{1000};

    /// What becomes of events that meet a full disk: kept in memory until they can be written, because somebody was
    /// told already that they are safe (`ack_mode::accepted` needs this); or dropped, because nobody was, and whoever waits is told now.
    bool keep_unwritten = false;
};

namespace journal {
class file_system;
}

/// Opens the journal in the directory, or makes one. Looks at the end of what is there, and mends it.
/// @throws std::runtime_error whose text names what, where and what was expected: another process has the journal (its
///         pid is named), a newer version wrote it, the directory cannot be written to
[[nodiscard]] std::unique_ptr<backlog> make_journal_backlog(journal_options options);

/// The same on other files: for tests.
/// @param files outlives the backlog
[[nodiscard]] std::unique_ptr<backlog>
make_journal_backlog(journal_options options, journal::file_system& files);

} // namespace trackd
