// Runs a coroutine on an io_context until it has ended, or until nothing moves any more.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace trackd::test {

/// What a spawned coroutine came to: look into it after polling.
template <class T>
struct outcome {
    std::optional<T> value;
    std::exception_ptr failure;

    [[nodiscard]] bool ended() const noexcept { return value.has_value() || failure; }

    [[nodiscard]] T& get() {
        if (failure) std::rethrow_exception(failure);
        if (!value) throw std::runtime_error{"the coroutine has not ended"};
        return *value;
    }
};

template <class T, class Executor>
std::shared_ptr<outcome<T>>
start(boost::asio::io_context& context, boost::asio::awaitable<T, Executor> work) {
    auto result = std::make_shared<outcome<T>>();
    boost::asio::co_spawn(context, std::move(work), [result](std::exception_ptr failure, T value) {
        result->failure = failure;
        if (!failure) result->value = std::move(value);
    });
    return result;
}

/// Runs the context until `done` holds. A test that would hang fails instead, after a minute of nothing.
template <class Done>
void run_until(boost::asio::io_context& context, Done done) {
    for (int rounds = 0; rounds < 60'000; ++rounds) {
        context.restart();
        if (context.poll() == 0 && !done()) context.run_for(std::chrono::milliseconds{1});
        if (done()) return;
    }
    throw std::runtime_error{"what the test waits for did not happen"};
}

template <class T, class Executor>
T run(boost::asio::io_context& context, boost::asio::awaitable<T, Executor> work) {
    const auto result = start(context, std::move(work));
    run_until(context, [&] { return result->ended(); });
    return std::move(result->get());
}

} // namespace trackd::test
