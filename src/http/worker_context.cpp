// See worker_context.hpp.
#include "http/worker_context.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "http/peer_address.hpp"
#include "http/worker.hpp"

#include <string>
#include <utility>

namespace trackd::http {

namespace {

// Of lines that strangers can bring about.
constexpr std::chrono::seconds rate_of_strangers{10};

} // namespace

std::string describe(const std::exception_ptr& failure) {
    std::string quoted;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        base::append_json_string(quoted, error.what());
    } catch (...) {
        quoted = "an exception of an unknown type";
    }
    return quoted;
}

bool worker_context::bounded_line::may_come(tick_count at, std::chrono::seconds every) {
    if (at < next) {
        ++held_back;
        return false;
    }
    next = at + static_cast<tick_count>(every / worker::tick);
    return true;
}

// Connections refer to the proxies' rules, which stay.
void worker_context::use(options bounds, cors_policy cors) {
    bounds.proxies = limits.proxies;
    exchanges.use(bounds);
    limits = std::move(bounds);
    routes.set_cors(std::move(cors));
}

void worker_context::handler_failed(const request& req, const std::exception_ptr& why) {
    figures.handler_errors.add();
    if (!handler_line_.may_come(sweep.now(), std::chrono::seconds{1})) return;
    base::log().error("http: the handler of {} failed: {}", base::json_string(req.path), describe(why));
    if (const auto unlogged = std::exchange(handler_line_.held_back, 0); unlogged > 0)
        base::log().error("http: before that, {} such failures were not logged", unlogged);
}

void worker_context::handshake_failed(std::string_view why) {
    figures.tls_failures.add();
    if (!handshake_line_.may_come(sweep.now(), rate_of_strangers)) return;
    base::log().warn(
        "http: a TLS handshake failed: {}; {} more since the last such line",
        why.empty() ? "the client ended it" : why, std::exchange(handshake_line_.held_back, 0)
    );
}

void worker_context::proxy_header_failed(
    const std::optional<client_address>& from, std::string_view why, std::string_view received
) {
    figures.proxy_failures.add();
    if (!proxy_line_.may_come(sweep.now(), rate_of_strangers)) return;
    constexpr std::size_t enough = 40;
    std::string beginning;
    base::append_json_string(beginning, received.substr(0, enough));
    base::log().warn(
        "http: a connection of the trusted proxy {} is closed for want of a PROXY header: {}; it begins with "
        "{}; {} "
        "more since the last such line",
        from ? from->to_string() : "behind the socket file", why, beginning,
        std::exchange(proxy_line_.held_back, 0)
    );
}

void worker_context::turned_away(const client_address& who) {
    if (!turned_away_line_.may_come(sweep.now(), rate_of_strangers)) return;
    base::log().warn(
        "http: {}, behind a proxy, has as much as one address may have: more is turned away; {} more since "
        "the last "
        "such line",
        to_string(peer_at(who)), std::exchange(turned_away_line_.held_back, 0)
    );
}

} // namespace trackd::http
