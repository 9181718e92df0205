// Sends one request over and over to a server on this machine, over many connections, and
// counts and times the answers.
#pragma once

#include "base/descriptor.hpp"
#include "bench/load/answer_reader.hpp"
#include "bench/load/histogram.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace trackd::bench {

struct load_options {
    std::uint16_t port = 0; // of 127.0.0.1
    std::string request;    // all of its bytes: nothing is made up or looked at while it is sent
    unsigned connections = 64;
    /// How many requests a connection sends at once, before it waits for all their answers.
    unsigned depth = 1;
    double seconds = 1;
    std::uint64_t requests = UINT64_MAX; // ends it sooner
    /// Requests a second, evenly spaced. 0: each connection sends the next one when it has its answer.
    double rate = 0;
};

struct load_result {
    std::map<int, std::uint64_t> statuses; // how many answers had each
    std::uint64_t answers = 0;
    std::uint64_t broken = 0;     // connections that ended, or sent what is no answer
    std::uint64_t unanswered = 0; // requests that were due, and have no answer ten seconds after the end
    double seconds = 0;           // from the first request to the last answer
    /// Nanoseconds to each answer: from when its request was sent or, at a fixed rate, from when it was due. So a
    /// server that stops for a moment is charged with all who would have come meanwhile, and not only with those who
    /// did.
    histogram latency;
};

/// One thread with one epoll, which at a fixed rate never sleeps: give it a processor of its own.
class load {
public:
    /// Connects, before the clock starts.
    /// @throws std::system_error if the server cannot be reached, or this process may not open so many connections
    explicit load(load_options options);

    load(const load&) = delete;
    load& operator=(const load&) = delete;

    /// Once. The connections stay open until this object goes.
    /// @throws std::system_error where the system refuses to go on
    load_result run();

private:
    struct connection {
        base::descriptor socket;
        answer_reader answers;
        std::uint64_t began = 0;
        unsigned awaited = 0;
        std::size_t unsent = 0; // bytes
        bool waits_for_room = false;
    };

    void connect_one();
    [[nodiscard]] std::uint64_t due(std::uint64_t now) const;
    [[nodiscard]] bool is_over(std::uint64_t now) const;
    void begin_due(std::uint64_t now);
    void send_rest(connection& on);
    void receive(connection& on);
    void take_answers(connection& on, std::string_view bytes);
    void give_up(connection& what);
    void wait_for_events(bool may_sleep);

    const load_options options_;
    const std::string burst_; // what a connection sends at once: a shorter one is the end of it
    const std::uint64_t end_; // after the start, in nanoseconds
    const base::descriptor poll_;
    std::deque<connection> connections_; // their places in memory stay
    std::deque<connection*> idle_;       // who has waited longest comes first
    std::size_t alive_ = 0;
    std::uint64_t start_ = 0;
    std::uint64_t begun_ = 0;
    std::uint64_t under_way_ = 0;
    load_result result_;
};

} // namespace trackd::bench
