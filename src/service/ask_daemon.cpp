#include "service/ask_daemon.hpp"

#include "http/listening_socket.hpp"
#include "service/admin_address.hpp"

#include <exception>
#include <string>

namespace trackd::service {

admin::answer
ask_daemon(const config::settings& settings, admin::question what, std::chrono::milliseconds timeout) {
    const auto address = admin_address(settings);
    what.token = settings.admin.token;
    try {
        const auto at = admin::reachable(http::parse_listen(address));
        return admin::ask(at, what, timeout, settings.admin.tls.certificate);
    } catch (const std::exception& why) {
        throw no_daemon{"it does not answer at admin.listen, " + address + ": " + why.what()};
    }
}

} // namespace trackd::service
