// What a connection needs while a request is under way, and does without while it is idle.
#pragma once

#include "http/answer.hpp"
#include "http/head_memo.hpp"
#include "http/parser.hpp"
#include "http/pending.hpp"
#include "http/response.hpp"
#include "http/task.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trackd::http {

/// Input, request, response and the answers on their way out: lent to a connection from its first byte until
/// its answers are sent and nothing is left over.
struct exchange {
    exchange(std::shared_ptr<const options> bounds, head_memo& heads)
        : limits(std::move(bounds)), in(*limits, heads) {}

    std::shared_ptr<const options> limits; ///< of this one, until it is given back
    parser in;
    response res;
    std::string out;                     ///< answers
    std::size_t sent = 0;                ///< of `out`
    std::optional<task<void>> work;      ///< what a handler has left to do
    std::unique_ptr<body_source> source; ///< of the answer that is on its way, if it is streamed
};

/// An answer that waits for a promise to be kept.
struct held_answer {
    promiser* by = nullptr;
    std::string bytes; ///< empty: it is still in the exchange
    status code{};
    std::size_t route = 0;
    std::shared_ptr<const void> caller; ///< see response::caller
    bool close = false;
};

/// The exchanges of one thread. The one given back last is lent next: while handlers answer at once, all
/// connections use the same one, which stays in the processor's cache.
class exchange_pool {
public:
    explicit exchange_pool(const options& limits) : limits_(std::make_shared<const options>(limits)) {
        free_answers_.reserve(most_free_answers);
    }

    /// Those that are lent from now on have these limits: their buffers are as large as the limits want them.
    void use(const options& limits);

    [[nodiscard]] std::unique_ptr<exchange> take();
    void give_back(std::unique_ptr<exchange> used) noexcept;

    /// Frees those that nobody has needed since the last call, but for one.
    void trim() noexcept;

    /// Also an answer is lent, in the same order. Some small ones are kept, however many there were.
    [[nodiscard]] std::unique_ptr<held_answer> take_answer();
    void give_back(std::unique_ptr<held_answer> used) noexcept;

private:
    static constexpr std::size_t most_free_answers = 256;

    std::shared_ptr<const options> limits_;
    head_memo heads_;
    std::vector<std::unique_ptr<exchange>> free_;
    std::vector<std::unique_ptr<held_answer>> free_answers_;
    std::size_t made_ = 0;
    std::size_t least_free_ = 0; // since the last trim
};

} // namespace trackd::http
