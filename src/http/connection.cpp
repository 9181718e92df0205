// See connection.hpp.
//
// `serve` is only the waiting. Everything between two waits is a plain function that returns what to wait for
// next, so that the usual request (readable, read, answered, written) costs one resumption and no inner
// coroutine.
#include "http/connection.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sstream>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace trackd::http {

namespace {

// How often in a row one connection may fill its buffer before the others get their turn.
constexpr int max_reads_in_a_row = 8;

// While the worker closes: between our last answer and the end, and the same where there was none to lose.
constexpr std::chrono::milliseconds closing_linger{1'000};
constexpr std::chrono::milliseconds shortest_linger{200};

// As an asynchronous operation.
template <class Token>
auto async_kept(promiser& by, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [&by](auto handler) { by.when_kept(std::move(handler)); }, token
    );
}

tick_count to_ticks(std::chrono::milliseconds time) {
    return static_cast<tick_count>((time + worker::tick - std::chrono::milliseconds{1}) / worker::tick);
}

} // namespace

connection::connection(
    worker_context& worker, native_socket accepted, connection_slot slot, const shared_tls_context& tls
)
    : worker_(worker), socket_(worker.executor), slot_(std::move(slot)), accepted_at_(worker.sweep.now()),
      state_since_(accepted_at_) {
    enter(state::idle, worker.limits.head_timeout);             // whoever connects has something to say
    socket_.assign(boost::asio::ip::tcp::v4(), accepted.get()); // of either family: Asio only passes it on
    static_cast<void>(accepted.release());
    if (tls) {
        stream_.use(*tls, socket_.native_handle());
        enter(state::handshake, worker.limits.head_timeout);
    }
    if (!worker.limits.proxies) return;
    peer_ = std::make_unique<connection_peer>(*worker.limits.proxies, socket_.native_handle());
    if (peer_->owes_header()) enter(state::proxy_header, worker.limits.head_timeout);
}

connection::~connection() {
    stream_.say_goodbye();
    release_exchange();
}

task<void> connection::serve() {
    auto next = on_readable(); // often the request is already there
    while (next != step::nothing) {
        if (next == step::handling) {
            std::exception_ptr failure;
            try {
                co_await std::move(*exchange_->work);
            } catch (...) {
                failure = std::current_exception();
            }
            next = on_handled(failure);
            continue;
        }
        boost::system::error_code error;
        if (next == step::promised) {
            co_await async_kept(*held_->by, boost::asio::redirect_error(use_task, error));
            next = on_promise(error);
            continue;
        }
        const bool to_read = (next == step::readable) != stream_.waits_for_other();
        const auto what = to_read ? socket::wait_read : socket::wait_write;
        if (next == step::readable && stream_.has_buffered()) {
            co_await boost::asio::post(worker_.executor, use_task); // the others get their turn
        } else if (!late_ && !news_) {
            co_await socket_.async_wait(what, boost::asio::redirect_error(use_task, error));
        }
        if (late_) {
            next = on_late();
        } else if (news_) {
            next = stream();
        } else if (error) {
            next = step::nothing;
        } else {
            next = next == step::readable ? on_readable() : on_writable();
        }
    }
}

connection::step connection::on_readable() {
    if (state_ == state::lingering) return discard();
    if (state_ == state::handshake) return shake_hands();
    if (state_ == state::proxy_header) return read_proxy_header();
    if (state_ == state::streaming) return hear_out();
    if (!exchange_) exchange_ = worker_.exchanges.take();
    auto next = step::readable;
    for (int reads = 0; reads < max_reads_in_a_row; ++reads) {
        const auto room = exchange_->in.space();
        const auto got = stream_.read(socket_.native_handle(), room);
        if (got.what == transport::outcome::would_block) return wait_for_more();
        if (got.what != transport::outcome::done) return step::nothing; // what is not complete never will be
        worker_.look_at_clock();
        worker_.figures.bytes_received.add(got.bytes);
        received_ += got.bytes;
        silent_ = false;
        exchange_->in.received(got.bytes);
        next = answer_what_is_complete();
        if (next != step::readable || !exchange_) break;
        if (got.bytes < room.size()) break; // nothing more was there, not of a TLS record either
    }
    return next;
}

connection::step connection::read_proxy_header() {
    const auto read = peer_->read_header(socket_.native_handle());
    switch (read.what) {
    case transport::outcome::done: break;
    case transport::outcome::would_block: return step::readable;
    case transport::outcome::ended: // who has said nothing only looked whether somebody listens
        return peer_->received().empty() ? step::nothing : proxy_header_failed("it is not complete");
    case transport::outcome::failed:
        return peer_->complaint().empty() ? step::nothing : proxy_header_failed(peer_->complaint());
    }
    worker_.figures.bytes_received.add(read.bytes);
    const auto& client = peer_->address();
    if (client && slot_ && !slot_.limit()->assign(slot_, *client)) {
        worker_.turned_away(*client);
        return step::nothing;
    }
    enter(stream_.has_tls() ? state::handshake : state::idle, worker_.limits.head_timeout);
    return on_readable(); // a proxy sends it together with what the client has sent
}

connection::step connection::proxy_header_failed(std::string_view why) {
    worker_.proxy_header_failed(peer_->address(), why, peer_->received());
    return linger(worker_.limits.linger_timeout);
}

connection::step connection::shake_hands() {
    const auto shaken = stream_.shake_hands();
    if (shaken.what == transport::outcome::would_block) return step::readable;
    if (shaken.what != transport::outcome::done) return handshake_failed(stream_.complaint());
    worker_.figures.tls_handshakes.add();
    enter(state::idle, worker_.limits.head_timeout);
    return on_readable(); // the request often comes with the end of the handshake
}

// Who has said nothing is no client, but looks whether somebody listens.
connection::step connection::handshake_failed(std::string_view why) {
    if (!stream_.has_heard()) return step::nothing;
    worker_.handshake_failed(why);
    return linger(worker_.limits.linger_timeout); // an alert may be on its way
}

connection::step connection::on_writable() {
    if (auto wait = write_answers()) return *wait;
    return answer_what_is_complete();
}

connection::step connection::on_handled(const std::exception_ptr& failure) {
    exchange_->work.reset();
    worker_.look_at_clock(); // it may have been long
    if (failure) handler_failed(failure);
    answer_current();
    return answer_what_is_complete();
}

connection::step connection::on_late() {
    late_ = false;
    switch (state_) {
    case state::idle:
        if (has_something_to_read()) { // came in the same moment
            enter(state::head, worker_.limits.head_timeout);
            return on_readable();
        }
        count_missed(silent_ ? limit::head_timeout : limit::idle_timeout);
        return linger(worker_.closing ? shortest_linger : worker_.limits.linger_timeout);
    case state::handshake:
        count_missed(limit::head_timeout);
        return handshake_failed("it was not complete in time");
    case state::proxy_header:
        if (worker_.closing) return step::nothing;
        count_missed(limit::head_timeout);
        return proxy_header_failed("it was not complete in time");
    case state::head: return refuse_late(limit::head_timeout);
    case state::body: {
        const auto missed = body_is_late();
        return missed ? refuse_late(*missed) : step::readable;
    }
    case state::writing: count_missed(limit::write_timeout); return step::nothing;
    case state::streaming: return linger(shortest_linger); // at a shutdown
    default: return step::nothing;
    }
}

connection::step connection::answer_what_is_complete() {
    auto& x = *exchange_;
    while (!last_answer_) {
        if (x.out.size() > worker_.limits.max_waiting_answer_bytes) {
            if (auto wait = write_answers()) return *wait;
        }
        const auto progress = x.in.advance();
        if (x.in.take_head() && !admit_head()) continue;
        if (progress == parser::progress::refused) {
            answer_refusal(x.in.refusal());
            continue;
        }
        answer_expectation(progress);
        if (last_answer_) break;
        if (progress == parser::progress::need_more) {
            if (auto wait = write_answers()) return *wait;
            return wait_for_more();
        }
        if (!admit_client() || !admit_body()) continue;
        if (const auto wait = handle()) return *wait;
    }
    if (auto wait = write_answers()) return *wait;
    if (x.source) return stream();
    return linger(worker_.limits.linger_timeout);
}

// Before the body is waited for, and before the word that it may come. Returns false where the request is answered.
// Then a body that was announced is not read, even if it is here: the answer is the same however the bytes were cut.
bool connection::admit_head() {
    auto& x = *exchange_;
    x.in.current().received_at = worker_.now;
    try {
        if (peer_) over_limit_ = !peer_->begin(x.in.current(), slot_.limit());
        if (worker_.routes.admit_head(x.in.current(), x.in.announced_bytes(), x.res)) return true;
    } catch (...) {
        handler_failed(std::current_exception());
    }
    worker_.figures.refusals[static_cast<std::size_t>(refusal::not_admitted)].add();
    x.res.close = x.in.announces_body();
    answer_current();
    return false;
}

// The proxy's connection is to be kept, as other clients' requests come on it: so only now, when the body is there.
bool connection::admit_client() {
    if (!over_limit_) return true;
    auto& x = *exchange_;
    worker_.turned_away(*x.in.current().client);
    worker_.figures.refusals[static_cast<std::size_t>(refusal::not_admitted)].add();
    x.res.clear();
    worker_.routes.choose_form(x.in.current(), x.res);
    x.res.problem(
        status::too_many_requests, "too-many-requests",
        "As many requests of this client's address are being served as may be at a time. Nothing was stored."
    );
    x.res.add_header("Retry-After", "1");
    answer_current();
    return false;
}

// A body that came in chunks has its size only now.
bool connection::admit_body() {
    auto& x = *exchange_;
    if (x.in.announced_bytes()) return true;
    x.res.clear();
    if (worker_.routes.admit_body(x.in.current(), x.res)) return true;
    worker_.figures.refusals[static_cast<std::size_t>(refusal::not_admitted)].add();
    answer_current();
    return false;
}

// A client that sent `Expect: 100-continue` waits for a word before it sends its body.
void connection::answer_expectation(parser::progress progress) {
    auto& x = *exchange_;
    if (!x.in.take_expectation()) return;
    if (progress == parser::progress::ready || worker_.routes.has_handler(x.in.current())) {
        x.out.append(continue_answer);
        return;
    }
    x.res.clear();
    static_cast<void>(worker_.routes.route(x.in.current(), x.res));
    x.res.close = true; // nobody knows whether the body comes now
    answer_current();
}

// Returns what to wait for; if nothing, the current request is answered.
std::optional<connection::step> connection::handle() {
    auto& x = *exchange_;
    auto& req = x.in.current();
    req.received_at = worker_.now;
    x.res.clear();
    worker_.figures.requests.add();
    pending left;
    try {
        left = worker_.routes.route(req, x.res);
    } catch (...) {
        handler_failed(std::current_exception());
    }
    if (!left) {
        answer_current();
        return {};
    }
    if (left.source()) {
        begin_stream(std::move(left.source()));
        return {};
    }
    const bool all_written =
        !write_answers(); // the earlier ones need not wait; if it fails, so will the next attempt
    state_ = state::handling;
    state_since_ = worker_.sweep.now();
    worker_.sweep.clear(*this);
    if (left.promised() != nullptr) return hold_answer(*left.promised(), all_written);
    x.work = std::move(left.work());
    return step::handling;
}

// Thousands may wait at a time: so the connection keeps no more than the answer's bytes meanwhile, unless there is more
// of the client, or an apology would need to know the request.
connection::step connection::hold_answer(promiser& by, bool all_written) {
    auto& x = *exchange_;
    held_ = worker_.exchanges.take_answer();
    held_->by = &by;
    held_->caller = std::move(x.res.caller);
    auto& req = x.in.current();
    const bool needs_request = !x.res.says_errors_plainly() || req.http_1_0 || req.method == verb::head ||
                               !req.header(field::origin).empty();
    if (!all_written || needs_request || !x.in.is_last()) return step::promised;
    const auto form = form_of_current();
    append_answer(x.out, x.res, worker_.date.at(worker_.now), form);
    held_->bytes.swap(x.out);
    held_->code = x.res.code;
    held_->route = x.res.route;
    held_->close = form.close;
    if (!held_->caller) held_->caller = std::move(req.caller);
    release_exchange();
    return step::promised;
}

void connection::begin_stream(std::unique_ptr<body_source> source) {
    auto& x = *exchange_;
    auto form = form_of_current();
    form.without_length = true;
    form.close = true;
    append(form);
    x.in.next();
    if (form.without_body) return;
    give_up_on_vanished();
    x.source = std::move(source);
    x.source->begin([this] { news(); });
}

// A peer that is gone without a word would be sent to for a quarter of an hour. Of no avail on a Unix socket, where
// nobody can vanish.
void connection::give_up_on_vanished() {
    const auto patience = static_cast<unsigned>(worker_.limits.write_timeout.count());
    static_cast<void>(
        ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience)
    );
}

// While it is written to it looks for itself, once there is room.
void connection::news() {
    if (state_ != state::streaming) return;
    news_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

// All that came before is written. What comes next is waited for together with the client's end.
connection::step connection::stream() {
    auto& x = *exchange_;
    news_ = false;
    state_ = state::streaming; // so that whoever is written to has his time anew
    state_since_ = worker_.sweep.now();
    set_deadline(no_deadline);
    if (!x.source->pull(x.out)) x.source.reset();
    if (auto wait = write_answers()) return *wait;
    if (!x.source) return linger(worker_.limits.linger_timeout);
    return step::readable;
}

// A client has nothing to say to an answer that goes on: only whether it is still there matters.
connection::step connection::hear_out() {
    std::array<char, 4096> unwanted;
    while (lingered_bytes_ <= worker_.limits.max_linger_bytes) {
        const auto got = stream_.read(socket_.native_handle(), unwanted);
        if (got.what == transport::outcome::would_block) return step::readable;
        if (got.what != transport::outcome::done) break;
        lingered_bytes_ += got.bytes;
    }
    return step::nothing;
}

connection::step connection::on_promise(boost::system::error_code broken) {
    worker_.look_at_clock(); // it may have been long
    auto held = std::move(held_);
    const bool is_made = exchange_ == nullptr;
    if (is_made) {
        exchange_ = worker_.exchanges.take();
        exchange_->res.route = held->route;
    }
    auto& x = *exchange_;
    if (broken) {
        x.res.clear();
        try {
            held->by->apologise(broken, x.res);
        } catch (...) {
            handler_failed(std::current_exception());
        }
        x.res.caller = std::move(held->caller);
    }
    if (!is_made) {
        answer_current();
    } else if (broken) {
        append({.close = held->close || x.res.close || worker_.announces_close});
    } else {
        x.out.swap(held->bytes);
        if (worker_.announces_close && !held->close) add_close(x.out);
        answer_counts(held->code, held->close || worker_.announces_close);
    }
    worker_.exchanges.give_back(std::move(held));
    return answer_what_is_complete();
}

void connection::handler_failed(const std::exception_ptr& why) {
    auto& x = *exchange_;
    worker_.handler_failed(x.in.current(), why);
    x.res.clear();
    x.res.problem(
        status::internal_server_error, "internal-error", "The server failed at this; its log says how."
    );
}

void connection::answer_current() {
    append(form_of_current());
    exchange_->in.next();
}

answer_form connection::form_of_current() const {
    const auto& x = *exchange_;
    const auto& req = x.in.current();
    answer_form form;
    form.without_body = req.method == verb::head;
    form.close = x.res.close || !x.in.keep_alive() || worker_.announces_close;
    form.says_keep_alive = req.http_1_0 && !form.close;
    return form;
}

void connection::answer_refusal(const refused& why) {
    auto& x = *exchange_;
    worker_.figures.refusals[static_cast<std::size_t>(why.reason)].add();
    if (why.hit) worker_.figures.limits.add(*why.hit);
    x.res.clear();
    worker_.routes.choose_form(x.in.current(), x.res);
    if (why.code == status::service_unavailable) // soon another process, or room, may be there
        x.res.unavailable(why.slug, why.detail, std::chrono::seconds{1});
    else
        x.res.problem(why.code, why.slug, why.detail);
    answer_form form;
    form.close = why.close || !x.in.keep_alive() || worker_.announces_close;
    append(form);
    x.in.next();
}

void connection::append(answer_form form) {
    auto& x = *exchange_;
    if (x.in.has_fields()) add_cors(worker_.routes.cors(), x.in.current(), x.res);
    append_answer(x.out, x.res, worker_.date.at(worker_.now), form);
    if (!x.res.problem_slug().empty()) worker_.routes.report_rejection(x.in.current(), x.res);
    answer_counts(x.res.code, form.close);
}

void connection::answer_counts(status code, bool close) {
    worker_.figures.answers.add(exchange_->res.route, static_cast<unsigned>(code));
    ++requests_;
    answered_ = true;
    last_answer_ = close;
    if (peer_) {
        peer_->answered();
        over_limit_ = false;
    }
}

// Returns what to wait for if not everything could be written at once.
std::optional<connection::step> connection::write_answers() {
    auto& x = *exchange_;
    const auto sent_before = x.sent;
    while (x.sent < x.out.size()) {
        const auto put = stream_.write(socket_.native_handle(), std::string_view{x.out}.substr(x.sent));
        if (put.what == transport::outcome::would_block) {
            if (x.source && x.sent > sent_before) // it has no end: whoever takes some has his time anew
                enter(state::writing, worker_.limits.write_timeout);
            else
                enter_unless_in(state::writing, worker_.limits.write_timeout);
            return step::writable;
        }
        if (put.what != transport::outcome::done) return step::nothing;
        x.sent += put.bytes;
        worker_.figures.bytes_sent.add(put.bytes);
        sent_ += put.bytes;
    }
    x.out.clear();
    x.sent = 0;
    return {};
}

// Every request that was complete is answered, and every answer is written.
connection::step connection::wait_for_more() {
    const auto& in = exchange_->in;
    if (!in.has_begun()) {
        release_exchange();
        enter_unless_in(state::idle, worker_.limits.idle_timeout);
    } else if (in.in_body()) {
        enter_unless_in(state::body, std::min(worker_.limits.body_grace, worker_.limits.body_timeout));
    } else {
        enter_unless_in(state::head, worker_.limits.head_timeout);
    }
    return step::readable;
}

// What ends at a shutdown is not the client's doing.
void connection::count_missed(limit which) {
    if (!worker_.closing) worker_.figures.limits.add(which);
}

connection::step connection::refuse_late(limit missed) {
    worker_.look_at_clock();
    const bool at_shutdown = worker_.closing && worker_.request_deadline <= worker_.sweep.now();
    if (at_shutdown) {
        answer_refusal(refused{
            status::service_unavailable, refusal::closing, "shutting-down",
            "The server shuts down, and the request was not complete in time. Nothing of it was stored."
        });
    } else {
        answer_refusal(refused{
            .code = status::request_timeout,
            .reason = refusal::timeout,
            .slug = "timeout",
            .detail = "The request was not complete in time.",
            .hit = missed,
        });
    }
    return answer_what_is_complete();
}

// Half a close, then reading on: unread bytes would make the kernel send a reset, and the client might lose
// our answer.
connection::step connection::linger(std::chrono::milliseconds timeout) {
    release_exchange();
    news_ = false; // of a source that is gone with it
    stream_.say_goodbye();
    ::shutdown(socket_.native_handle(), SHUT_WR);
    enter(state::lingering, timeout);
    return discard(); // what is here already
}

connection::step connection::discard() {
    std::array<char, 4096> unwanted;
    while (lingered_bytes_ <= worker_.limits.max_linger_bytes) {
        const auto got = transport::read_raw(socket_.native_handle(), unwanted); // nobody wants it decrypted
        if (got.what == transport::outcome::would_block) return step::readable;
        if (got.what != transport::outcome::done) break;
        lingered_bytes_ += got.bytes;
    }
    return step::nothing;
}

// Over its time, or slower than the least rate. If not, sets the time of the next look.
std::optional<limit> connection::body_is_late() {
    constexpr auto ticks_a_second = std::chrono::seconds{1} / worker::tick;
    const auto now = worker_.sweep.now();
    const auto end = state_since_ + to_ticks(worker_.limits.body_timeout);
    const auto wanted = worker_.limits.min_body_rate * (now - state_since_) / ticks_a_second;
    if (now >= std::min(end, latest_deadline())) return limit::body_timeout;
    if (exchange_->in.body_bytes() < wanted) return limit::min_body_rate;
    set_deadline(std::min(end, now + ticks_a_second));
    return {};
}

bool connection::has_something_to_read() {
    char first = 0;
    return ::recv(socket_.native_handle(), &first, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

void connection::late() {
    late_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void connection::apply_worker_deadlines() {
    if (state_ != state::handling) set_deadline(deadline());
}

void connection::enter(state next, std::chrono::milliseconds timeout) {
    state_ = next;
    state_since_ = worker_.sweep.now();
    answered_ = false;
    set_deadline(state_since_ + to_ticks(timeout) + 1); // the tick that runs is partly over
}

// A state that goes on keeps its deadline, unless it is that of another request now.
void connection::enter_unless_in(state next, std::chrono::milliseconds timeout) {
    if (state_ != next || answered_) enter(next, timeout);
}

void connection::set_deadline(tick_count deadline) {
    worker_.sweep.set(*this, std::min(deadline, latest_deadline()));
}

// What the worker's closing leaves to this state.
tick_count connection::latest_deadline() const {
    if (!worker_.closing) return no_deadline;
    switch (state_) {
    case state::proxy_header:
    case state::handshake:
    case state::idle: return worker_.idle_deadline;
    case state::handling: return no_deadline;
    case state::lingering:
        return std::min(
            state_since_ + to_ticks(closing_linger),
            std::max(worker_.request_deadline, worker_.sweep.now() + to_ticks(shortest_linger))
        );
    default: return worker_.request_deadline;
    }
}

void connection::release_exchange() {
    if (exchange_) worker_.exchanges.give_back(std::move(exchange_));
}

connection_info connection::info(bool with_peer) {
    static constexpr std::string_view names[] = {"idle",      "head",         "body",
                                                 "handling",  "writing",      "lingering",
                                                 "handshake", "proxy_header", "streaming"};
    const auto now = worker_.sweep.now();
    const auto since = [&](tick_count then) {
        return static_cast<std::chrono::milliseconds::rep>(now - then) * worker::tick;
    };
    return {
        .state = names[static_cast<std::size_t>(state_)],
        .in_state = since(state_since_),
        .age = since(accepted_at_),
        .peer = with_peer ? peer() : std::string{},
        .tls = stream_.has_tls(),
        .requests = requests_,
        .bytes_received = received_,
        .bytes_sent = sent_,
    };
}

// Asked of the system, so that nothing has to be kept for the few who want to know.
std::string connection::peer() {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    if (::getpeername(socket_.native_handle(), reinterpret_cast<sockaddr*>(&from), &size) != 0)
        return {}; // it has gone
    if (from.ss_family == AF_UNIX) return "unix";
    const auto address = address_of(from);
    if (!address) return {};
    if (peer_ && peer_->address() && *peer_->address() != *address) return peer_->address()->to_string();
    const auto port = from.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(from).sin_port
                                                : reinterpret_cast<const sockaddr_in6&>(from).sin6_port;
    std::ostringstream text;
    text << boost::asio::ip::tcp::endpoint{*address, ntohs(port)};
    return text.str();
}

} // namespace trackd::http
