// A sink that appends events to a file as JSON Lines, one event in the JSON format of CloudEvents a line.
#pragma once

#include "base/boot_time.hpp"
#include "base/sink_choices.hpp"

#include <trackd/sink.hpp>
#include <trackd/wall_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace trackd::sinks {

using base::file_compression;

struct file_options {
    std::filesystem::path path{};              ///< the current file; missing directories are made (0700)
    std::uint64_t rotate_bytes = 0;            ///< a file is closed before it grows beyond this; 0: never
    std::chrono::milliseconds rotate_every{0}; ///< a file is closed when its first event is so old; 0: never
    std::size_t keep_files = 0;                ///< how many closed files are kept; 0: all
    bool sync = true;                          ///< confirm only what `fdatasync` has put on stable storage
    file_compression compression = file_compression::none; ///< of closed files
};

/// The file consists of whole lines at every moment but within a write: a write that fails half-way is cut
/// back, and so is, by `open`, what a crash left of a line. An event never straddles two files. One file
/// belongs to one sink.
///
/// Files are closed before a write, never by a timer. A file that somebody else has moved away (logrotate) is
/// noticed by the next write, which makes a new one.
///
/// Its bookmark is a `file_place`. An event that comes again after a restart, and is found behind it, is confirmed as a
/// duplicate and not written again. Nothing that is in a file is ever taken back for that.
/// @param now  for names, and for the age of a file that was there before; called on the sink's thread
/// @param boot for the age of files: a jump of the wall clock closes none, and keeps none open
[[nodiscard]] std::unique_ptr<sink>
make_file_sink(file_options options, wall_clock now = utc_now, base::boot_clock boot = base::boot_time);

} // namespace trackd::sinks
