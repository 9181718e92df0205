// What the system says of this process, as clients of Prometheus report it.
#pragma once

namespace trackd::admin {

struct process_figures {
    double cpu_seconds = 0;    ///< in user mode and in the system
    double resident_bytes = 0; ///< of its memory
    double virtual_bytes = 0;
    double threads = 0;
    double start_seconds = 0; ///< since 1970, to about a second
    double open_files = 0;
    double max_files = 0;
};

/// @throws std::runtime_error if /proc cannot be read, as where no descriptor is left, or is not what it should be
[[nodiscard]] process_figures read_process_figures();

} // namespace trackd::admin
