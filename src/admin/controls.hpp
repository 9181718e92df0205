// What the admin listener can change while the daemon runs: an interface, because only the service knows how.
#pragma once

#include "http/task.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::admin {

/// What became of a reload.
struct reload_report {
    std::vector<std::string> wrong;   ///< not empty: nothing was changed, and this is why
    std::uint64_t generation = 0;     ///< of the configuration in force
    std::vector<std::string> changed; ///< keys of the options that are different now
};

/// Outlives all routes made for it. Called on the admin listener's thread.
class controls {
public:
    virtual ~controls() = default;

    /// Reads the configuration again. When it returns, what has changed is in force on all threads.
    /// @param by who asked for it, for the log
    [[nodiscard]] virtual http::task<reload_report> reload(std::string by) = 0;

    /// The configuration in force, as TOML; nothing in it is secret.
    [[nodiscard]] virtual std::string configuration_text() const = 0;

    [[nodiscard]] virtual std::string_view log_level() const = 0;

    /// Until the next reload.
    /// @return false if no level is called so
    [[nodiscard]] virtual bool set_log_level(std::string_view level) = 0;
};

} // namespace trackd::admin
