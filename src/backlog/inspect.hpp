// What `trackd journal` does: shows a journal as it lies on the disk, checks it, and takes a sink out of it. All but
// `forget_sink` only read, and may do so beside a running daemon.
#pragma once

#include "backlog/file_system.hpp"

#include <trackd/event.hpp>

#include <filesystem>
#include <iosfwd>
#include <string_view>

namespace trackd::journal {

/// As the process's exit status says it.
enum class inspection_result {
    good = 0,
    damaged = 1,
    impossible = 2, ///< it was not possible to do, or not to the end; `errors` was told why
};

/// Where to look, and where to say what is found.
struct inspection {
    file_system& files;
    std::filesystem::path directory;
    std::ostream& out;
    std::ostream& errors;
};

/// Shows all segments, from their headers, and the sinks' cursors.
/// @throws std::runtime_error if there is no journal; std::system_error if the disk cannot be read: so do all here
[[nodiscard]] inspection_result list_journal(const inspection& to);

/// Reads everything there is, and checks that it holds together. A line for each finding, and one at the end.
[[nodiscard]] inspection_result verify_journal(const inspection& to);

struct event_printing {
    trackd::position from = 1;
    bool json = false; ///< CloudEvents, as the file sink writes them
};

/// Prints the events in order, one a line. What cannot be read is told as comments among the errors.
[[nodiscard]] inspection_result print_events(const inspection& to, const event_printing& how);

/// Drops the sink's cursor, so that the events which it has not got are no longer kept for it.
/// @throws std::runtime_error, too, if a daemon works on the journal, if there is no such sink, or if the cursors cannot
///         be trusted
[[nodiscard]] inspection_result forget_sink(const inspection& in, std::string_view sink);

} // namespace trackd::journal
