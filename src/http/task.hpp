// The coroutine type of everything that runs on an I/O thread: a concrete executor costs less than a
// type-erased one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace trackd::http {

using executor_type = boost::asio::io_context::executor_type;

template <class T>
using task = boost::asio::awaitable<T, executor_type>;

inline constexpr boost::asio::use_awaitable_t<executor_type> use_task{};

} // namespace trackd::http
