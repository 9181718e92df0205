#include "service/dead_letter_clerk.hpp"

#include "base/signals_blocked.hpp"
#include "service/dead_letter_commands.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <utility>

namespace trackd::service {

namespace asio = boost::asio;

namespace {

/// That one sink's letters are in hand, as long as it lives.
class turn {
public:
    turn(std::set<std::string>& in_hand, const std::string& sink)
        : in_hand_{in_hand}, sink_{sink}, ours_{in_hand.insert(sink).second} {}

    ~turn() {
        if (ours_) in_hand_.erase(sink_);
    }

    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

    /// False: somebody else has them.
    [[nodiscard]] bool ours() const noexcept { return ours_; }

private:
    std::set<std::string>& in_hand_;
    const std::string sink_;
    const bool ours_;
};

asio::awaitable<admin::letters_report>
drop_here(std::shared_ptr<sinks::dead_letter_file> from, admin::letter_choice of) {
    co_return drop_letters(*from, of);
}

admin::letters_report not_done(const std::string& why) {
    admin::letters_report report;
    report.known = true;
    report.error = why;
    return report;
}

} // namespace

dead_letter_clerk::dead_letter_clerk(
    const config::settings& of, const dead_letter_box& letters, tracker& delivering
)
    : settings_{of}, letters_{letters}, tracker_{delivering} {
    const base::all_signals_blocked during_start;
    thread_.emplace(1);
}

http::task<admin::letters_report> dead_letter_clerk::handle(admin::letters_request what) {
    const auto letters = letters_.of(what.sink);
    if (!letters) co_return admin::letters_report{};
    if (what.deliver && !is_configured(settings_, what.sink)) co_return not_done(not_configured(what.sink));
    const turn now{in_hand_, what.sink};
    if (!now.ours())
        co_return not_done("its dead letters are being delivered or dropped already; try again afterwards");
    if (what.deliver) co_return co_await deliver(*letters, what);
    auto dropping = drop_here(letters, std::move(what.of));
    co_return co_await asio::co_spawn(thread_->get_executor(), std::move(dropping), http::use_task);
}

http::task<admin::letters_report>
dead_letter_clerk::deliver(sinks::dead_letter_file& from, const admin::letters_request& what) {
    auto report = begin_report(what.of);
    auto portion = first_portion(from);
    bool more = true;
    const auto work = [&](sink& to, const std::stop_token& stop) {
        more = redeliver_portion(from, to, what.of, portion, report, stop);
    };
    const auto executor = co_await asio::this_coro::executor;
    while (more) { // between two portions the sink is given what is new
        if (tracker_.paused(what.sink)) {
            report.error = "the sink is paused; `trackd sink resume " + what.sink + "` first";
            break;
        }
        auto handled = tracker_.with_sink(what.sink, work);
        if (co_await asio::co_spawn(executor, std::move(handled), http::use_task)) continue;
        report.error = "the daemon stops";
        break;
    }
    co_return report;
}

} // namespace trackd::service
