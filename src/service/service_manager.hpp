// What systemd, or whoever started this process in its manner, is told: that it is ready, reloads, stops, lives.
#pragma once

#include <trackd/clock.hpp>
#include <trackd/stage.hpp>

#include <string>
#include <string_view>

namespace trackd::service {

/// The protocol of sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names, a path, or an abstract name where
/// it begins with `@`. Without that variable nothing is told. Confined to one thread, which a message holds up for a
/// second at most. What goes wrong is logged once, and is no reason to stop.
class service_manager {
public:
    service_manager() = default; ///< there is none

    /// What NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say; they are unset, so that no child takes them for its own.
    /// Called before there are threads, which may read the environment.
    [[nodiscard]] static service_manager from_environment();

    /// The same from given values; null where there is no such variable.
    service_manager(const char* socket, const char* watchdog_usec, const char* watchdog_pid);

    /// How often `lives` has to be called at least: at most a second apart.
    [[nodiscard]] clock::duration beat() const noexcept;

    /// The daemon enters this stage, or is back in it after a reload.
    void enters(stage next);

    /// A reload begins; `enters(stage::running)` ends it.
    void reloads(clock::time_point now);

    /// Feeds the watchdog, if there is one and it is time to.
    void lives(clock::time_point now);

private:
    void send(std::string_view message);
    void fail(const std::string& why);

    std::string socket_;          // empty: nobody is told
    clock::duration watchdog_{0}; // 0: none
    clock::time_point last_fed_{};
    bool has_failed_ = false;
};

} // namespace trackd::service
