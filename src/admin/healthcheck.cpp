#include "admin/healthcheck.hpp"

#include <exception>

namespace trackd::admin {

health ask_health(
    const any_endpoint& at, std::string_view path, std::chrono::milliseconds timeout,
    const std::string& certificate
) {
    try {
        const auto got = ask(at, {boost::beast::http::verb::get, std::string{path}}, timeout, certificate);
        return {got.code == boost::beast::http::status::ok, true, got.body.substr(0, got.body.find('\n'))};
    } catch (const std::exception& why) {
        return {.says = why.what()};
    }
}

} // namespace trackd::admin
