// Socket activation: the sockets that systemd, or whoever started this process in its manner, has opened for it.
#pragma once

#include "http/listening_socket.hpp"
#include "http/native_socket.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::http {

/// Whether this is the address of passed sockets: `systemd`, or `systemd:NAME`.
[[nodiscard]] bool is_passed_address(std::string_view address) noexcept;

/// Owns those that no listener has taken yet.
class passed_sockets {
public:
    passed_sockets() = default; ///< none

    /// What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say; the variables are unset, and the descriptors closed on exec,
    /// so that no child takes them for its own. Called before there are threads, which may read the environment.
    [[nodiscard]] static passed_sockets from_environment();

    /// The same from given values; null where there is no such variable. Anything wrong with them is told by `take`.
    /// @param first the first descriptor
    passed_sockets(const char* process, const char* count, const char* names, int first);

    /// `systemd` takes all but those that one of these addresses names.
    void reserve(std::span<const std::string> addresses);

    /// @param address `systemd` or `systemd:NAME`
    /// @return one or more
    /// @throws std::runtime_error with one line saying what was expected and what there is
    [[nodiscard]] std::vector<listening_socket> take(std::string_view address);

    /// The names of those that nobody took, for people.
    [[nodiscard]] std::string left() const;

private:
    struct passed {
        native_socket descriptor;
        int number; ///< what the descriptor was when it came
        std::string name;
    };

    [[nodiscard]] bool is_wanted(const passed& one, std::string_view address) const;

    std::vector<passed> sockets_;
    std::vector<std::string> reserved_; // addresses
    std::string why_none_ = "LISTEN_FDS is not set";
};

} // namespace trackd::http
