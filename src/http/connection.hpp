// One connection: bytes from its socket to the parser, requests to the router, answers back.
#pragma once

#include "http/connection_limit.hpp"
#include "http/connection_peer.hpp"
#include "http/deadline_sweep.hpp"
#include "http/exchange.hpp"
#include "http/native_socket.hpp"
#include "http/task.hpp"
#include "http/transport.hpp"
#include "http/worker.hpp"
#include "http/worker_context.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::http {

/// Lives until `serve` has returned, on one thread. While it is idle it holds no memory but its own: when the
/// socket is readable it borrows an `exchange`, reads without waiting, answers what is complete, and writes
/// without waiting. Only what would block suspends it.
class connection final : public has_deadline {
public:
    /// @param tls null: none is spoken
    connection(
        worker_context& worker, native_socket socket, connection_slot slot, const shared_tls_context& tls
    );
    ~connection();

    /// Until the connection is over. Errors of the connection are no exceptions.
    [[nodiscard]] task<void> serve();

    /// Its deadline has come.
    void late();

    /// The worker's deadlines have changed.
    void apply_worker_deadlines();

    [[nodiscard]] connection_info info(bool with_peer);

private:
    enum class state : unsigned char {
        idle,
        head,
        body,
        handling,
        writing,
        lingering,
        handshake,
        proxy_header,
        streaming
    };

    // What to wait for next.
    enum class step : unsigned char { readable, writable, handling, promised, nothing };

    step on_readable();
    step on_writable();
    step on_handled(const std::exception_ptr& failure);
    step on_promise(boost::system::error_code broken);
    step on_late();

    step read_proxy_header();
    step proxy_header_failed(std::string_view why);
    step shake_hands();
    step handshake_failed(std::string_view why);

    step answer_what_is_complete();
    [[nodiscard]] std::optional<step> handle();
    [[nodiscard]] step hold_answer(promiser& by, bool all_written);
    void begin_stream(std::unique_ptr<body_source> source);
    void give_up_on_vanished();
    void news();
    step stream();
    step hear_out();
    bool admit_head();
    bool admit_client();
    bool admit_body();
    void answer_expectation(parser::progress progress);
    void handler_failed(const std::exception_ptr& why);
    void answer_current();
    void answer_refusal(const refused& why);
    [[nodiscard]] answer_form form_of_current() const;
    void append(answer_form form);
    void answer_counts(status code, bool close);
    [[nodiscard]] std::optional<step> write_answers();

    step wait_for_more();
    void count_missed(limit which);
    step refuse_late(limit missed);
    step linger(std::chrono::milliseconds timeout);
    step discard();
    [[nodiscard]] std::optional<limit> body_is_late();
    [[nodiscard]] bool has_something_to_read();

    void enter(state next, std::chrono::milliseconds timeout);
    void enter_unless_in(state next, std::chrono::milliseconds timeout);
    void set_deadline(tick_count deadline);
    [[nodiscard]] tick_count latest_deadline() const;
    void release_exchange();
    [[nodiscard]] std::string peer();

    using socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;

    worker_context& worker_;
    socket socket_;
    transport stream_; // what crosses it
    connection_slot slot_;
    std::unique_ptr<connection_peer> peer_; // where anybody wants to know who it is
    std::unique_ptr<exchange> exchange_;    // while there is a request, or part of one, or an answer to send
    std::unique_ptr<held_answer> held_;     // while a promise is waited for
    tick_count accepted_at_;
    tick_count state_since_;
    std::size_t lingered_bytes_ = 0;
    std::uint64_t requests_ = 0; // these three are for `info` only
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;
    state state_ = state::idle;
    bool answered_ = false;    // since the last change of state
    bool silent_ = true;       // no byte has come yet
    bool last_answer_ = false; // was given: what still comes is thrown away
    bool over_limit_ = false;  // the address of the current request has more than it may have
    bool late_ = false;        // its deadline came while it waited
    bool news_ = false;        // there is more of a streamed answer
};

} // namespace trackd::http
