// See worker.hpp.
#include "http/worker.hpp"

#include "base/log.hpp"
#include "http/connection.hpp"
#include "http/worker_context.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <cassert>
#include <list>
#include <string>
#include <utility>

namespace trackd::http {

namespace asio = boost::asio;

namespace {

using clock = std::chrono::steady_clock;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor_type>;

constexpr tick_count ticks_between_trims = 10;

} // namespace

class worker::impl {
public:
    impl(executor_type executor, const options& limits, router routes)
        : context_(executor, limits, std::move(routes)), ticker_(executor) {}

    ~impl() { assert(!lives()); }

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    void serve(native_socket socket, connection_slot slot, const shared_tls_context& tls);
    void close_by(tick_count idle_deadline, tick_count request_deadline);
    task<bool> join(time_point until);

    [[nodiscard]] tick_count tick_of(time_point time) const;

    worker_context context_;
    std::list<connection> connections_;

private:
    [[nodiscard]] bool lives() const noexcept { return !connections_.empty() || ticking_; }

    void ended(std::list<connection>::iterator which, const std::exception_ptr& failure);
    void on_tick();
    void stop_ticking();

    const time_point origin_ = clock::now();
    timer ticker_;
    bool ticking_ = false;
    std::vector<timer*> joining_; // who waits until nothing lives
};

void worker::impl::serve(native_socket socket, connection_slot slot, const shared_tls_context& tls) {
    if (!ticking_) on_tick();
    auto added = connections_.begin();
    try {
        added = connections_.emplace(added, context_, std::move(socket), std::move(slot), tls);
    } catch (const std::exception&) { // epoll or memory has no room for it: as if it had not been accepted
        base::log().error("http: cannot serve a connection: {}", describe(std::current_exception()));
        return;
    }
    context_.figures.connections_accepted.add();
    asio::co_spawn(context_.executor, added->serve(), [this, added](const std::exception_ptr& failure) {
        ended(added, failure);
    });
}

void worker::impl::ended(std::list<connection>::iterator which, const std::exception_ptr& failure) {
    connections_.erase(which);
    context_.figures.connections_closed.add();
    if (failure) base::log().error("http: a connection ended by a failure of ours: {}", describe(failure));
    if (connections_.empty()) ticker_.cancel();
}

tick_count worker::impl::tick_of(time_point time) const {
    if (time <= origin_) return 0;
    return static_cast<tick_count>((time - origin_) / worker::tick);
}

void worker::impl::on_tick() {
    ticking_ = true;
    context_.sweep.advance(tick_of(clock::now()), [](has_deadline& due) {
        static_cast<connection&>(due).late();
    });
    if (context_.sweep.now() % ticks_between_trims == 0) context_.exchanges.trim();
    ticker_.expires_at(origin_ + static_cast<clock::rep>(context_.sweep.now() + 1) * worker::tick);
    ticker_.async_wait([this](boost::system::error_code) {
        if (connections_.empty()) return stop_ticking();
        on_tick();
    });
}

// A thread without connections sleeps.
void worker::impl::stop_ticking() {
    ticking_ = false;
    context_.exchanges.trim();
    context_.exchanges.trim(); // the first only begins anew
    for (auto* each : joining_)
        each->cancel();
}

void worker::impl::close_by(tick_count idle_deadline, tick_count request_deadline) {
    context_.announces_close = true;
    context_.closing = true;
    context_.idle_deadline = std::min(context_.idle_deadline, idle_deadline);
    context_.request_deadline = std::min(context_.request_deadline, request_deadline);
    for (auto& each : connections_)
        each.apply_worker_deadlines();
}

task<bool> worker::impl::join(time_point until) {
    timer wait(context_.executor);
    joining_.push_back(&wait);
    while (lives() && clock::now() < until) {
        boost::system::error_code woken;
        wait.expires_at(until);
        co_await wait.async_wait(asio::redirect_error(use_task, woken));
    }
    std::erase(joining_, &wait);
    co_return !lives();
}

worker::worker(boost::asio::io_context& context, const options& limits, router routes)
    : impl_(std::make_unique<impl>(context.get_executor(), limits, std::move(routes))) {}

worker::~worker() = default;

executor_type worker::executor() const noexcept {
    return impl_->context_.executor;
}

void worker::adopt(native_socket socket, connection_slot slot, shared_tls_context tls) {
    auto serve = [to = impl_.get(), socket = std::move(socket), slot = std::move(slot),
                  tls = std::move(tls)]() mutable { to->serve(std::move(socket), std::move(slot), tls); };
    asio::post(executor(), std::move(serve));
}

const counters& worker::figures() const noexcept {
    return impl_->context_.figures;
}

std::vector<connection_info> worker::connections(std::size_t most, bool with_peers) const {
    auto& all = impl_->connections_;
    std::vector<connection_info> infos;
    infos.reserve(std::min(most, all.size()));
    for (auto each = all.rbegin(); each != all.rend() && infos.size() < most; ++each)
        infos.push_back(each->info(with_peers));
    return infos;
}

void worker::use(options limits, cors_policy cors) {
    impl_->context_.use(std::move(limits), std::move(cors));
}

void worker::announce_close() {
    impl_->context_.announces_close = true;
}

void worker::begin_close(time_point idle_deadline, time_point request_deadline) {
    impl_->close_by(impl_->tick_of(idle_deadline), impl_->tick_of(request_deadline));
}

void worker::hurry() {
    const auto now = impl_->tick_of(clock::now());
    impl_->close_by(now, now);
}

task<bool> worker::join(time_point until) {
    return impl_->join(until);
}

} // namespace trackd::http
