#include "service/admin_address.hpp"

#include "http/passed_sockets.hpp"

#include <algorithm>
#include <stdexcept>

namespace trackd::service {

std::string admin_address(const config::settings& settings) {
    const auto& listens = settings.admin.listen;
    const auto known = std::ranges::find_if_not(listens, http::is_passed_address);
    if (known != listens.end()) return *known;
    throw std::runtime_error{
        "admin.listen is \"" + listens.front() +
        "\", whose address only systemd knows; expected to be told where to ask: --set "
        "admin.listen=ADDRESS"
    };
}

} // namespace trackd::service
