// A small file of the journal's directory that says whether a run is under way, or how the last one ended.
#pragma once

#include "backlog/file_system.hpp"
#include "base/file_birth.hpp"

#include <trackd/backlog.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace trackd::journal {

/// Tells a file from its copy.
using find_file_birth = std::function<std::optional<base::file_birth>(const std::filesystem::path&)>;

/// `<directory>/last_run`, one sector that is overwritten in place: after it was made once it needs no room on the disk.
///
/// A clean stop is believed only where the journal goes on at the position that the mark names. So a mark that could not
/// be overwritten does not pass a later run off as clean, unless that run has stored nothing.
class run_mark {
public:
    run_mark(
        file_system& files, const std::filesystem::path& directory, find_file_birth birth = base::find_birth
    );

    /// What the last run has left. Changes nothing. A directory that was copied while trackd ran holds the mark of a
    /// run that did not end: its end is unknown.
    /// @param next        the position that the journal goes on with
    /// @param has_history there are segments or cursors
    [[nodiscard]] run_end read(position next, bool has_history) const;

    /// Says on stable storage that a run is under way. Called before anything is stored. Where the mark cannot be
    /// written, the old one is removed, and the next start knows nothing.
    /// @throws std::system_error: the mark was not written
    void begin();

    /// Says on stable storage that the run has ended, with everything stored below `next`.
    /// @throws std::system_error: the mark is removed, and the next start knows nothing of this run's end
    void end(position next);

private:
    [[nodiscard]] std::string running() const;
    void write(const std::string& lines);
    void create();
    void remove() noexcept;

    file_system& files_;
    const std::filesystem::path directory_;
    const std::filesystem::path path_;
    const find_file_birth find_birth_;
};

} // namespace trackd::journal
