// The descriptors 0, 1 and 2 of a process that was started without some of them.
#pragma once

namespace trackd::base {

/// Opens /dev/null for each that is closed, so that no file of the process takes its number: reads find the end, writes to
/// standard output fail, and writes to standard error are dropped. Called before anything else is opened.
void open_missing_standard_streams() noexcept;

} // namespace trackd::base
