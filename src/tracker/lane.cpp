#include <trackd/lane.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace trackd {

namespace asio = boost::asio;
using boost::system::error_code;

asio::awaitable<error_code, lane::executor_type> lane::acknowledged() {
    error_code outcome;
    auto token = asio::redirect_error(asio::use_awaitable_t<executor_type>{}, outcome);
    co_await asio::async_initiate<decltype(token), void(error_code)>(
        [this](auto handler) { when_acknowledged(std::move(handler)); }, token
    );
    co_return outcome;
}

} // namespace trackd
