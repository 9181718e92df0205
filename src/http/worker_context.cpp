// See worker_context.hpp.
#include "http/worker_context.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "http/worker.hpp"

#include <string>

namespace trackd::http {

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

void worker_context::handler_failed(const request& req, const std::exception_ptr& why) {
    figures.handler_errors.add();
    if (sweep.now() < next_log_line_) {
        ++unlogged_;
        return;
    }
    next_log_line_ = sweep.now() + std::chrono::seconds{1} / worker::tick;
    std::string path;
    base::append_json_string(path, req.path);
    base::log().error("http: the handler of {} failed: {}", path, describe(why));
    if (unlogged_ > 0) base::log().error("http: before that, {} such failures were not logged", unlogged_);
    unlogged_ = 0;
}

void worker_context::handshake_failed(std::string_view why) {
    figures.tls_failures.add();
    if (sweep.now() < next_handshake_line_) {
        ++unlogged_handshakes_;
        return;
    }
    next_handshake_line_ = sweep.now() + std::chrono::seconds{10} / worker::tick;
    base::log().warn(
        "http: a TLS handshake failed: {}; {} more since the last such line",
        why.empty() ? "the client ended it" : why, std::exchange(unlogged_handshakes_, 0)
    );
}

} // namespace trackd::http
