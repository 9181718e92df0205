// The daemon: builds the parts in the order in which they depend on each other, owns them, and leads them
// through the stages of their life. Reading the members from top to bottom is reading the architecture.
#pragma once

#include "admin/controls.hpp"
#include "admin/overview.hpp"
#include "admin/tails.hpp"
#include "admin/token_guard.hpp"
#include "base/byte_budget.hpp"
#include "base/descriptor.hpp"
#include "base/task_group.hpp"
#include "config/settings.hpp"
#include "http/connection_limit.hpp"
#include "http/listener.hpp"
#include "http/passed_sockets.hpp"
#include "http/worker.hpp"
#include "intake/client_clocks.hpp"
#include "intake/counters.hpp"
#include "intake/endpoints.hpp"
#include "intake/keys.hpp"
#include "intake/rejection_recorder.hpp"
#include "service/admin_file.hpp"
#include "service/dead_letter_box.hpp"
#include "service/dead_letter_clerk.hpp"
#include "service/heartbeat.hpp"
#include "service/io_pool.hpp"
#include "service/live_configuration.hpp"
#include "service/service_manager.hpp"
#include "service/shutdown.hpp"
#include "service/stop_request.hpp"
#include "service/watchdog.hpp"

#include <trackd/stage.hpp>
#include <trackd/tracker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::service {

/// Lives on the thread that made it, which becomes the one for signals, stages and the admin listener. The tracker's
/// strand runs on the first I/O thread: what that one admits, which may be all, crosses no thread on its way.
class service final : private admin::overview, private admin::controls {
public:
    /// Builds everything, binds the listeners, and starts nothing.
    /// @param reload loads the configuration once more, as it was loaded for `settings`; throws config::error
    /// @throws std::exception whose text is one line for the operator: a port in use, a directory that cannot
    /// be written
    /// @param passed  sockets for the addresses that say so
    /// @param manager is told how it goes
    service(
        config::settings settings, std::function<config::settings()> reload, http::passed_sockets passed = {},
        service_manager manager = {}
    );

    /// Serves until a signal or the failure of a part, then drains.
    /// @return the process's exit status: 0 nothing lost, 1 events lost or a part failed
    [[nodiscard]] int run();

private:
    using task = boost::asio::awaitable<void>;

    // admin::overview
    [[nodiscard]] stage current_stage() const noexcept override { return stage_; }

    [[nodiscard]] std::chrono::steady_clock::duration uptime() const override;
    [[nodiscard]] std::optional<admin::shutdown_progress> shutdown() const override;
    [[nodiscard]] std::string ack() const override;

    [[nodiscard]] tracker& the_tracker() override { return tracker_; }

    [[nodiscard]] std::vector<admin::listener_group> listeners() override;
    [[nodiscard]] std::vector<admin::limit_hits> limits() const override;
    [[nodiscard]] std::vector<admin::accepted_events> accepted() const override;
    [[nodiscard]] std::vector<admin::call_rejections> rejected_calls() const override;
    [[nodiscard]] std::vector<admin::key_activity> keys() const override;

    [[nodiscard]] std::vector<http::rejection_count> rejections() const override {
        return rejections_->counts();
    }

    [[nodiscard]] std::vector<http::rejection_record> latest_rejections(std::size_t max) const override {
        return rejections_->latest(max);
    }

    [[nodiscard]] std::string ailment() const override { return heartbeat_.ailment(); }

    [[nodiscard]] const admin::configuration_state& configuration() const override { return live_.state(); }

    [[nodiscard]] std::string_view sink_not_ready() const override;
    [[nodiscard]] std::uint64_t dead_letters_kept(const std::string& sink) const override;
    [[nodiscard]] std::vector<base::running_task> tasks() const override;

    http::task<admin::letters_report> handle_dead_letters(admin::letters_request what) override;

    // admin::controls
    http::task<admin::reload_report> reload(std::string by) override;
    [[nodiscard]] std::string configuration_text() const override;
    [[nodiscard]] std::string_view log_level() const override;
    [[nodiscard]] bool set_log_level(std::string_view level) override;

    /// A configuration that was read again, and checked, with what had to be opened for it.
    struct candidate {
        config::settings settings;
        http::shared_tls_context ingest_tls;
        http::shared_tls_context admin_tls;
        base::descriptor log_file; // which may be another one under the same name
    };

    [[nodiscard]] tracker make_tracker();
    [[nodiscard]] http::router ingest_routes(boost::asio::io_context& thread);
    [[nodiscard]] http::router admin_routes();
    void listen(http::passed_sockets passed);
    void check_who_reaches_us(const config::admin_settings& with) const;
    void serve();
    void leave_admin_address(std::string secret);

    // The stages.
    task live();
    task lame_duck();
    task close_ingest();
    task drain();
    task stop();

    task watch_signals();
    task reload_by_signal();
    [[nodiscard]] admin::reload_report take_up(const std::string& by);
    [[nodiscard]] std::vector<std::string> read_again(std::optional<candidate>& next);
    [[nodiscard]] candidate prepare(config::settings settings) const;
    void put_into_force(candidate next, const std::string& by);
    [[nodiscard]] http::task<void> tell_all_threads();
    void replace_keys(const std::string& by);
    void warn_if_open() const;
    void enter(stage next);
    void hurry();
    void run_main_loop();
    void part_failed(const std::string& name, std::exception_ptr why);
    void leading_failed(const std::string& name, std::exception_ptr why);
    void last_words() const;
    [[nodiscard]] std::chrono::milliseconds took() const;

    live_configuration live_;
    const config::settings& settings_; // of it, in force; on the main thread
    const config::readiness_settings readiness_;
    const std::chrono::steady_clock::time_point started_;
    std::atomic<stage> stage_{stage::starting};
    boost::asio::io_context main_{1};
    stop_request stop_;
    base::byte_budget bodies_;
    io_pool pool_;
    std::optional<dead_letter_box> dead_letters_;
    admin::tails tails_{main_.get_executor(), system_clock()};
    tracker tracker_;
    dead_letter_clerk clerk_;
    intake::shared_key_ring keys_;
    const std::shared_ptr<intake::client_clocks> client_clocks_ =
        std::make_shared<intake::client_clocks>(system_clock());
    const std::shared_ptr<intake::rejection_recorder> rejections_ =
        std::make_shared<intake::rejection_recorder>();
    std::deque<intake::counters> intake_; // one an I/O thread, as are these:
    std::deque<intake::endpoints> endpoints_;
    const std::shared_ptr<admin::token_guard> admin_guard_;
    http::worker admin_worker_;
    http::connection_limit connections_;
    http::connection_limit admin_connections_;
    std::deque<http::listener> ingest_listeners_;
    std::deque<http::listener> admin_listeners_;
    boost::asio::signal_set
        signals_; // after what may take long to make: until then a signal just ends the process
    std::optional<shutdown_plan> plan_; // none: nobody wants to stop yet
    shutdown_summary summary_;
    watchdog watchdog_;
    service_manager manager_;
    heartbeat heartbeat_;
    admin_file admin_file_{settings_.data_dir};
    std::string admin_secret_; // which that file has
    base::task_group<http::executor_type> ingest_accepting_;
    base::task_group<http::executor_type> admin_accepting_;
    base::task_group<boost::asio::any_io_executor> reloads_; // by signals
    base::task_group<boost::asio::any_io_executor> tasks_;
    base::task_group<boost::asio::any_io_executor> leading_;
};

} // namespace trackd::service
