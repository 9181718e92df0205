#include "service/ask_daemon.hpp"

#include "config/address.hpp"
#include "http/listening_socket.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace trackd::service {

std::string unknown_token(const daemon_contact& daemon) {
    return with_notes(
        "the daemon does not know this admin.token; where that is what has changed, send it a SIGHUP",
        daemon.notes
    );
}

std::string place_of(const daemon_contact& daemon) {
    return daemon.source + ", " + daemon.address;
}

no_daemon no_answer_at(const daemon_contact& daemon, const std::string& why) {
    return no_daemon{with_notes("it does not answer at " + place_of(daemon) + ": " + why, daemon.notes)};
}

admin::any_endpoint endpoint_of(const daemon_contact& daemon) {
    if (config::normalised_address(daemon.address))
        return admin::reachable(http::parse_listen(daemon.address));
    using tcp = boost::asio::ip::tcp;
    const auto colon = daemon.address.rfind(':');
    boost::asio::io_context context;
    tcp::resolver resolver{context};
    boost::system::error_code failed;
    const auto found =
        resolver.resolve(daemon.address.substr(0, colon), daemon.address.substr(colon + 1), failed);
    if (failed) throw std::runtime_error{"the name cannot be resolved: " + failed.message()};
    return found.begin()->endpoint();
}

admin::answer
ask_daemon(const daemon_contact& daemon, admin::question what, std::chrono::milliseconds timeout) {
    what.token = daemon.token;
    try {
        return admin::ask(endpoint_of(daemon), what, timeout, daemon.certificate);
    } catch (const std::exception& why) {
        throw no_answer_at(daemon, why.what());
    }
}

} // namespace trackd::service
