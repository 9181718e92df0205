// SIGHUP, which asks the daemon for a reload, and ends any other process by default.
#pragma once

namespace trackd::base {

/// From here on a SIGHUP waits. Threads that are made until `release_hangup` never handle it. The main thread, also before
/// `main`; not twice without a release.
void hold_hangup() noexcept;

/// Lets the SIGHUP through that has waited, and those to come, on the main thread. Where the process began with SIGHUP
/// blocked, it stays so.
void release_hangup() noexcept;

} // namespace trackd::base
