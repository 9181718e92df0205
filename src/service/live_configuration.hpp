// The configuration in force: which one, since when, and whether another one can take its place.
#pragma once

#include "admin/overview.hpp"
#include "config/settings.hpp"

#include <functional>
#include <string>
#include <vector>

namespace trackd::service {

/// On the main thread, but for what is read while the parts are built. What runs is always what it has: to take up
/// another configuration is to take up all of it.
class live_configuration {
public:
    /// @param load reads the configuration once more, from where `first` came from; throws config::error
    live_configuration(config::settings first, std::function<config::settings()> load);

    /// Stays where it is, and changes its values.
    [[nodiscard]] const config::settings& settings() const noexcept { return settings_; }

    [[nodiscard]] const admin::configuration_state& state() const noexcept { return state_; }

    /// Reads it again. Nothing is changed.
    /// @throws config::error with a line for each thing that is wrong, that needs a restart, or that would
    ///         drop all keys without saying so
    [[nodiscard]] config::settings read_again() const;

    /// It is what runs from now on.
    void put_into_force(config::settings next);

    /// The one that was read again is not taken, and why.
    void refuse(std::vector<std::string> wrong);

    /// Until the next reload.
    void set_log_level(config::log_level level) { settings_.log.level = level; }

private:
    config::settings settings_;
    std::function<config::settings()> load_;
    admin::configuration_state state_;
};

} // namespace trackd::service
