// The few options that tell where a running daemon is, read from a configuration that may have errors.
#pragma once

#include "config/load.hpp"

#include <string>

namespace trackd::config {

/// Options that could not be read have their defaults.
struct daemon_location {
    std::string data_dir;
    admin_settings admin;
    bool data_dir_given = false;    ///< else it is the default
    bool listen_typed = false;      ///< `--set admin.listen=…`
    bool token_typed = false;       ///< `--set admin.token=…`
    bool certificate_typed = false; ///< `--set admin.tls.certificate=…`
    std::string problem; ///< why the file cannot be read as a whole, or an option of these; empty: nothing
};

/// Reads `data_dir` and `admin.*` as `load` does, and no other option. Skips lines of the file that are no TOML, and values
/// that are wrong or refer to what cannot be read.
/// @throws error with the errors of `--set`, which belong to the command itself
[[nodiscard]] daemon_location load_location(const sources& from);

} // namespace trackd::config
