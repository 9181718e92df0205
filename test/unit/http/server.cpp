#include "server.hpp"

#include "http/connection_peer.hpp"

#include <boost/asio/redirect_error.hpp>

#include <stdexcept>

namespace trackd::test {

namespace asio = boost::asio;
using namespace trackd::http;
using namespace std::chrono_literals;

namespace {

pending count_body(const request& req, response& res) {
    if (req.body.empty()) {
        res.problem(status::bad_request, "empty-body", "Expected an event.");
    } else {
        res.json(status::created, std::to_string(req.body.size()));
    }
    return {};
}

task<void> throw_later(executor_type executor) {
    co_await asio::post(executor, use_task);
    throw std::runtime_error("later, with a\nline break");
}

task<void> wait_at(gate& at, response& res) {
    co_await at.passed();
    res.text(status::ok, "passed");
}

router make_routes(gate& at_gate, executor_type executor, const std::function<void(router&)>& change) {
    router routes;
    routes.add(verb::post, "/events", count_body);
    routes.add(verb::get, "/healthz", [](const request&, response& res) -> pending {
        res.text(status::ok, "ok\n");
        return {};
    });
    routes.add(verb::get, "/large", [](const request&, response& res) -> pending {
        res.text(status::ok, std::string(512U * 1024U, 'L'));
        return {};
    });
    routes.add(verb::post, "/echo", [](const request& req, response& res) -> pending {
        res.text(status::ok, req.body);
        return {};
    });
    routes.add(verb::get, "/throw", [](const request&, response&) -> pending {
        throw std::runtime_error("at once");
    });
    routes.add(verb::get, "/throw-later", [executor](const request&, response&) -> pending {
        return throw_later(executor);
    });
    routes.add(verb::get, "/gate", [&at_gate](const request&, response& res) -> pending {
        return wait_at(at_gate, res);
    });
    if (change) change(routes);
    return routes;
}

} // namespace

task<void> gate::passed() {
    if (open_) co_return;
    arrived_.set_value();
    boost::system::error_code cancelled;
    co_await opened_.async_wait(asio::redirect_error(use_task, cancelled));
}

void gate::open() {
    asio::post(opened_.get_executor(), [this] {
        open_ = true;
        opened_.cancel();
    });
}

void gate::await_arrival() {
    arrived_.get_future().get();
}

server::server(
    const options& limits, std::size_t max_connections, const std::function<void(router&)>& change,
    std::size_t max_per_address
)
    : limit_(
          context_.get_executor(), max_connections, max_per_address,
          limits.proxies ? limits.proxies->trusted : trusted_proxies{}
      ),
      worker_(context_, limits, make_routes(at_gate, context_.get_executor(), change)),
      listener_(context_, "127.0.0.1:0", {&worker_}, limit_),
      accepting_(asio::co_spawn(context_, listener_.run(), asio::use_future)),
      thread_([this] { context_.run(); }) {}

server::~server() {
    close_listener();
    at_gate.open();
    hurry();
    static_cast<void>(join(1min));
    guard_.reset();
    thread_.join();
}

std::string server::state() {
    const auto all = call([this] { return worker_.connections(); });
    return all.empty() ? std::string{} : std::string{all.front().state};
}

void server::await_state(std::string_view wanted) {
    const auto end = std::chrono::steady_clock::now() + 1min;
    while (state() != wanted) { // each question is a turn of the server's loop
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error("never came into this state");
    }
}

void server::announce_close() {
    call([this] { worker_.announce_close(); });
}

void server::begin_close(std::chrono::milliseconds idle, std::chrono::milliseconds request) {
    const auto now = std::chrono::steady_clock::now();
    call([=, this] { worker_.begin_close(now + idle, now + request); });
}

void server::hurry() {
    call([this] { worker_.hurry(); });
}

bool server::join(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    return asio::co_spawn(context_, worker_.join(until), asio::use_future).get();
}

void server::close_listener() {
    call([this] { listener_.close(); });
    if (accepting_.valid()) accepting_.get();
}

} // namespace trackd::test
