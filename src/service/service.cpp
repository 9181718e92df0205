#include "service/service.hpp"

#include "admin/control_routes.hpp"
#include "admin/dashboard.hpp"
#include "admin/letter_routes.hpp"
#include "admin/metrics.hpp"
#include "admin/pages.hpp"
#include "admin/rejections.hpp"
#include "admin/sink_routes.hpp"
#include "base/hangup.hpp"
#include "base/log.hpp"
#include "base/signals_blocked.hpp"
#include "config/load.hpp"
#include "intake/key_guard.hpp"
#include "service/accepted_events.hpp"
#include "service/daemon_commands.hpp"
#include "service/key_activity.hpp"
#include "service/parts.hpp"
#include "service/start_check.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace trackd::service {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

std::string_view signal_name(int signal) noexcept {
    switch (signal) {
    case SIGTERM: return "SIGTERM";
    case SIGINT: return "SIGINT";
    case SIGHUP: return "SIGHUP";
    default: return "a signal";
    }
}

std::string spoken_of(const http::listener& listener) {
    return listener.name() + (listener.has_tls() ? " with TLS" : "");
}

// Whether only this machine can reach it.
bool is_local(const http::listener& listener) {
    return listener.name().starts_with("unix:") || listener.local_endpoint().address().is_loopback();
}

// For the few who look at the admin pages; not worth keys of their own. One address leaves room for the probes of others:
// 25 is a browser, eight tails, a Prometheus and some commands at once.
constexpr std::size_t max_admin_connections = 100;
constexpr std::size_t max_admin_connections_per_address = 25;

} // namespace

service::service(
    config::settings settings, std::function<config::settings()> reload, http::passed_sockets passed,
    service_manager manager
)
    : live_{std::move(settings), std::move(reload)}, settings_{live_.settings()},
      readiness_{settings_.readiness}, started_{std::chrono::steady_clock::now()},
      stop_{main_.get_executor(), [this] { hurry(); }}, bodies_{settings_.http.max_bodies_bytes},
      pool_{io_threads(settings_.http)}, tracker_{make_tracker()},
      clerk_{settings_, *dead_letters_, tracker_},
      admin_guard_{std::make_shared<admin::token_guard>(settings_.admin.token)},
      admin_worker_{main_, http_options(settings_.http, bodies_), admin_routes()},
      connections_{
          main_.get_executor(), max_connections(settings_.http), settings_.http.max_connections_per_address,
          http::trusted_proxies{settings_.http.trusted_proxies}
      },
      admin_connections_{main_.get_executor(), max_admin_connections, max_admin_connections_per_address},
      signals_{main_, SIGTERM, SIGINT, SIGHUP}, watchdog_{[this] { last_words(); }},
      manager_{std::move(manager)},
      heartbeat_{
          main_.get_executor(), system_clock(), manager_.beat(),
          [this] { return tracker_.resting_on_work(); }, [this] { manager_.lives(system_clock().now()); }
      },
      ingest_accepting_{main_.get_executor(), [this](const auto& name, auto why) { part_failed(name, why); }},
      admin_accepting_{main_.get_executor(), [this](const auto& name, auto why) { part_failed(name, why); }},
      reloads_{main_.get_executor(), [this](const auto& name, auto why) { part_failed(name, why); }},
      tasks_{main_.get_executor(), [this](const auto& name, auto why) { part_failed(name, why); }},
      leading_{main_.get_executor(), [this](const auto& name, auto why) { leading_failed(name, why); }} {
    keys_.replace(make_keys(settings_), system_clock());
    auto limits = http_options(settings_.http, bodies_);
    limits.proxies = make_proxy_rules(settings_.http); // nobody stands before the admin listener
    pool_.add_workers(limits, [this](asio::io_context& thread) { return ingest_routes(thread); });
    const auto workers = pool_.workers();
    for (std::size_t i = 0; i < workers.size(); ++i)
        heartbeat_.add_loop("thread " + io_pool::name_of(i), workers[i]->executor());
    listen(std::move(passed));
}

tracker service::make_tracker() {
    const base::all_signals_blocked during_construction; // the journal and the sinks have threads
    auto backlog = make_backlog(settings_);
    dead_letters_.emplace(settings_);
    auto options = make_tracker_options(settings_.tracker);
    options.onlooker = &tails_;
    return {pool_.first_executor(), options, std::move(backlog), make_sinks(settings_, *dead_letters_)};
}

http::task<admin::letters_report> service::handle_dead_letters(admin::letters_request what) {
    return clerk_.handle(std::move(what));
}

int service::run() {
    std::signal(SIGPIPE, SIG_IGN); // a peer that went away is an error code to us, not the end
    tasks_.spawn("signals", watch_signals());
    leading_.spawn("stages", live());
    base::release_hangup(); // one that came during the start is a reload once it is running
    run_main_loop();
    base::hold_hangup(); // nothing handles it any more
    watchdog_.disarm();
    summary_.took = took();
    base::log().info("{}", summary_.line());
    base::flush_log();
    return exit_status(summary_, stop_.part_failed());
}

// Until nothing is left to do.
void service::run_main_loop() {
    for (;;) {
        try {
            main_.run();
            return;
        } catch (...) {
            part_failed("a handler on the main thread", std::current_exception());
        }
    }
}

std::chrono::steady_clock::duration service::uptime() const {
    return std::chrono::steady_clock::now() - started_;
}

std::optional<admin::shutdown_progress> service::shutdown() const {
    if (!plan_) return {};
    const auto now = std::chrono::steady_clock::now();
    const auto until = [now](std::chrono::steady_clock::time_point end) {
        return std::max(end - now, std::chrono::steady_clock::duration::zero());
    };
    return admin::shutdown_progress{stop_.reason(), until(plan_->end_of(stage_)), until(plan_->drain_end)};
}

std::string service::ack() const {
    return std::string{config::to_string(settings_.tracker.ack)};
}

std::vector<admin::listener_group> service::listeners() {
    return {
        {"ingest", pool_.workers(), connections_.turned_away()},
        {"admin", {&admin_worker_}, admin_connections_.turned_away()}
    };
}

std::vector<admin::limit_hits> service::limits() const {
    std::vector<admin::limit_hits> all;
    const auto add = [&all](std::string_view name, std::uint64_t hits) {
        const auto known = std::ranges::find(all, name, &admin::limit_hits::limit);
        if (known == all.end())
            all.push_back({name, hits});
        else
            known->hits += hits; // of the same limit, in another folder
    };
    add(to_string(http::limit::max_connections), connections_.waits());
    add(to_string(http::limit::max_connections_per_address), connections_.turned_away());
    for (const auto* listeners : {&ingest_listeners_, &admin_listeners_})
        for (const auto& listener : *listeners)
            add(to_string(http::limit::open_files), listener.shortages());
    const auto add_worker = [&add](const http::worker& worker) {
        for (const auto which : http::all_limits)
            add(to_string(which), worker.figures().limits.of(which));
    };
    add_worker(admin_worker_);
    for (const auto* worker : pool_.workers())
        add_worker(*worker);
    for (const auto& thread : intake_)
        for (const auto which : intake::all_limits)
            add(to_string(which), thread.limits.of(which));
    return all;
}

std::vector<admin::accepted_events> service::accepted() const {
    return sum_accepted(intake_, keys_.numbers());
}

std::vector<admin::call_rejections> service::rejected_calls() const {
    return sum_rejected_calls(intake_);
}

std::vector<admin::key_activity> service::keys() const {
    return list_keys(keys_.get().get());
}

std::string_view service::sink_not_ready() const {
    for (const auto& name : readiness_.require_sinks) {
        const auto failing_for = tracker_.failing_for(name);
        if (failing_for && *failing_for >= readiness_.sink_grace) return name;
    }
    return {};
}

std::uint64_t service::dead_letters_kept(const std::string& sink) const {
    const auto letters = dead_letters_->of(sink);
    return letters ? letters->count() : 0;
}

std::vector<base::running_task> service::tasks() const {
    auto running = tasks_.running();
    for (const auto* group : {&reloads_, &leading_})
        for (auto& one : group->running())
            running.push_back(std::move(one));
    for (const auto* group : {&ingest_accepting_, &admin_accepting_})
        for (auto& one : group->running())
            running.push_back(std::move(one));
    return running;
}

http::router service::ingest_routes(asio::io_context& thread) {
    http::router routes;
    auto& counts = intake_.emplace_back();
    const auto guard = std::make_shared<intake::key_guard>(keys_, counts.limits);
    routes.set_guard(guard);
    const auto rules = make_request_rules(settings_, bodies_);
    routes.set_cors(rules.cors);
    endpoints_
        .emplace_back(
            tracker_.add_lane(thread), rules.reading, rules.decoding, counts, guard, client_clocks_,
            rejections_
        )
        .add_routes(routes);
    admin::add_health_routes(routes, *this, admin::health_detail::none);
    return routes;
}

http::router service::admin_routes() {
    http::router routes;
    routes.set_guard(admin_guard_);
    admin::add_health_routes(routes, *this, admin::health_detail::reason);
    admin::add_status_routes(routes, *this);
    admin::add_rejections_route(routes, *this);
    admin::add_metrics_route(routes, *this);
    admin::add_letter_routes(routes, *this);
    admin::add_sink_routes(routes, *this);
    admin::add_control_routes(routes, *this);
    admin::add_tail_route(routes, tails_);
    admin::add_dashboard_route(routes);
    return routes;
}

void service::listen(http::passed_sockets passed) {
    passed.reserve(settings_.http.listen);
    passed.reserve(settings_.admin.listen);
    for (const auto& address : settings_.http.listen)
        for (auto& socket : open_sockets(address, passed))
            ingest_listeners_.emplace_back(main_, std::move(socket), pool_.workers(), connections_);
    for (const auto& address : settings_.admin.listen)
        for (auto& socket : open_sockets(address, passed))
            admin_listeners_.emplace_back(
                main_, std::move(socket), std::vector{&admin_worker_}, admin_connections_
            );
    check_who_reaches_us(settings_.admin);
    const auto tls = make_tls("http.tls", settings_.http.tls);
    for (auto& listener : ingest_listeners_)
        listener.use_tls(tls);
    const auto admin_tls = make_tls("admin.tls", settings_.admin.tls);
    for (auto& listener : admin_listeners_)
        listener.use_tls(admin_tls);
    if (const auto left = passed.left(); !left.empty())
        base::log().warn("no listener takes these passed sockets, which are closed: {}", left);
}

// Where a socket that was passed really listens is known only now.
void service::check_who_reaches_us(const config::admin_settings& with) const {
    const auto open = std::ranges::find_if_not(admin_listeners_, is_local);
    if (!with.token.empty() || open == admin_listeners_.end()) return;
    throw std::runtime_error{
        "admin.listen: others than this machine can reach " + open->name() +
        ", and there is no admin.token to know them by; expected admin.token to be set"
    };
}

void service::serve() {
    for (auto& listener : ingest_listeners_) {
        ingest_accepting_.spawn("ingest listener " + listener.name(), listener.run());
        base::log().info("ingest listening on {}", spoken_of(listener));
    }
    for (auto& listener : admin_listeners_) {
        admin_accepting_.spawn("admin listener " + listener.name(), listener.run());
        base::log().info("admin listening on {}", spoken_of(listener));
    }
    leave_admin_address(make_admin_secret());
}

// For trackd's own commands. They can do without it, and so can the daemon.
void service::leave_admin_address(std::string secret) {
    admin_secret_ = std::move(secret);
    try {
        const auto access = make_admin_access(settings_.admin, admin_listeners_, admin_secret_);
        admin_guard_->set_local_secret(access.token);
        admin_file_.write(access);
    } catch (const std::exception& why) {
        base::log().warn("trackd's commands need the configuration to find this daemon: {}", why.what());
    }
}

service::task service::live() {
    tracker_.start();
    tasks_.spawn("journal", tracker_.watch());
    pool_.start();
    tasks_.spawn("heartbeat", heartbeat_.run());
    serve();
    if (!keys_.get()) warn_if_open();
    enter(stage::running);

    co_await stop_.wait();
    plan_ = shutdown_plan::from(stop_.since(), settings_.shutdown);
    watchdog_.arm(plan_->watchdog_end);
    heartbeat_.watch_no_more();
    if (stop_.hurried()) hurry();
    base::log().info("stopping: {}", stop_.reason());
    co_await lame_duck();
    co_await close_ingest();
    co_await drain();
    co_await stop();
}

service::task service::lame_duck() {
    enter(stage::lame_duck);
    for (auto* worker : pool_.workers())
        asio::post(worker->executor(), [worker] { worker->announce_close(); });
    co_await stop_.sleep_until(plan_->lame_duck_end);
}

service::task service::close_ingest() {
    enter(stage::closing);
    for (auto& listener : ingest_listeners_)
        listener.close();
    co_await asio::co_spawn(main_, ingest_accepting_.join(), asio::use_awaitable);
    const auto idle_end = plan_->idle_end;
    const auto request_end = plan_->request_end;
    for (auto* worker : pool_.workers())
        asio::post(worker->executor(), [=] { worker->begin_close(idle_end, request_end); });
    for (auto* worker : pool_.workers())
        co_await asio::co_spawn(worker->executor(), worker->join(request_end), asio::use_awaitable);
    // Who still waits for an acknowledgement gets told that there is none yet, and can answer so.
    tracker_.release_waiters();
    for (auto* worker : pool_.workers())
        co_await asio::co_spawn(worker->executor(), worker->join(), asio::use_awaitable);
}

service::task service::drain() {
    enter(stage::draining);
    const auto report = co_await tracker_.drain(plan_->drain_end);
    for (const auto& sink : report.books.sinks)
        base::log().info(
            "sink {}: accepted={} delivered={} pending={} filtered={} dead_lettered={} skipped={} damaged={} "
            "lost={}",
            sink.name, sink.accepted, sink.delivered, sink.pending, sink.filtered, sink.dead_lettered,
            sink.skipped, sink.damaged, sink.lost
        );
    if (report.lost > 0)
        base::log().error("{} events are lost: they were neither delivered nor stored in time", report.lost);
    if (report.pending > 0 && report.lost == 0)
        base::log().info(
            "{} events stay in the journal, and are delivered after the next start", report.pending
        );
    summary_.reason = stop_.reason();
    summary_.accepted = report.books.accepted;
    summary_.delivered = report.delivered;
    summary_.pending = report.pending;
    summary_.dead_lettered = report.dead_lettered;
    summary_.damaged = report.damaged;
    summary_.lost = report.lost;
}

service::task service::stop() {
    enter(stage::stopped);
    admin_file_.remove();
    tails_.end(stop_.reason());
    for (auto& listener : admin_listeners_)
        listener.close();
    co_await asio::co_spawn(main_, admin_accepting_.join(), asio::use_awaitable);
    const auto now = std::chrono::steady_clock::now();
    admin_worker_.begin_close(now, now);
    co_await asio::co_spawn(main_, admin_worker_.join(), asio::use_awaitable);
    co_await asio::co_spawn(main_, reloads_.join(), asio::use_awaitable); // they talk to the pool's threads
    pool_.stop();
    heartbeat_.end();
    signals_.cancel();
}

service::task service::watch_signals() {
    for (;;) {
        boost::system::error_code ended;
        const auto signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        if (ended) co_return;
        if (signal == SIGHUP)
            reloads_.spawn("reload", reload_by_signal()); // which no other signal has to wait for
        else
            stop_.by_signal(std::string{signal_name(signal)});
    }
}

service::task service::reload_by_signal() {
    auto work = reload("SIGHUP");
    static_cast<void>(co_await asio::co_spawn(main_, std::move(work), asio::use_awaitable));
}

http::task<admin::reload_report> service::reload(std::string by) {
    if (stage_ == stage::running) manager_.reloads(system_clock().now());
    auto report = take_up(by);
    if (report.wrong.empty()) co_await tell_all_threads();
    if (stage_ == stage::running) manager_.enters(stage::running); // also where it was refused
    co_return report;
}

// All of it or nothing. Whatever can go wrong does so before anything is changed.
admin::reload_report service::take_up(const std::string& by) {
    std::optional<candidate> next;
    admin::reload_report report;
    report.wrong = read_again(next);
    if (next) {
        put_into_force(std::move(*next), by);
        report.changed = live_.state().changed;
    } else {
        for (const auto& line : report.wrong)
            base::log().error("{}: {}", by, line);
        base::log().error("{}: the configuration is refused; everything stays as it was", by);
        live_.refuse(report.wrong);
    }
    report.generation = live_.state().generation;
    return report;
}

// @return why there is none
std::vector<std::string> service::read_again(std::optional<candidate>& next) {
    try {
        if (const auto now = stage_.load(); now != stage::running)
            return {"trackd is in stage " + std::string{to_string(now)} + ", expected running"};
        next.emplace(prepare(live_.read_again()));
        return {};
    } catch (const config::error& wrong) {
        return wrong.lines();
    } catch (const std::exception& why) {
        return {why.what()};
    }
}

service::candidate service::prepare(config::settings settings) const {
    check_who_reaches_us(settings.admin);
    check_files(settings);
    auto ingest_tls = make_tls("http.tls", settings.http.tls);
    auto admin_tls = make_tls("admin.tls", settings.admin.tls);
    auto log_file = open_log_file(settings.log);
    return {std::move(settings), std::move(ingest_tls), std::move(admin_tls), std::move(log_file)};
}

// What belongs to this thread, or may be changed from it; the I/O threads are told by `tell_all_threads`.
void service::put_into_force(candidate next, const std::string& by) {
    const bool other_token = next.settings.admin.token != settings_.admin.token;
    live_.put_into_force(std::move(next.settings));
    base::lead_standard_error_into(next.log_file);
    set_up_log(settings_.log);
    replace_keys(by);
    for (auto& listener : ingest_listeners_)
        listener.use_tls(next.ingest_tls);
    for (auto& listener : admin_listeners_)
        listener.use_tls(next.admin_tls);
    if (next.ingest_tls || next.admin_tls) base::log().info("{}: the certificates were read again", by);
    admin_guard_->set_token(settings_.admin.token);
    leave_admin_address(other_token ? make_admin_secret() : admin_secret_);
    if (other_token) tails_.end_open("admin.token has changed"); // who looks on has shown the one before
    bodies_.set_max(settings_.http.max_bodies_bytes);
    connections_.set_bounds(max_connections(settings_.http), settings_.http.max_connections_per_address);
    base::log().info("{}: {}", by, said_of(live_.state().generation, live_.state().changed));
}

// Each thread takes up the same immutable rules. Of several reloads each sends its own to all before it waits, so that the
// latest comes last everywhere.
http::task<void> service::tell_all_threads() {
    const auto rules = std::make_shared<const request_rules>(make_request_rules(settings_, bodies_));
    const auto workers = pool_.workers();
    for (std::size_t i = 0; i < workers.size(); ++i) {
        asio::post(workers[i]->executor(), [rules, worker = workers[i], endpoints = &endpoints_[i]] {
            worker->use(rules->limits, rules->cors);
            endpoints->use(rules->reading, rules->decoding);
        });
    }
    admin_worker_.use(rules->limits, {});
    // Another reload may come while this waits: each sends what is in force when it sends, so that none undoes a later one.
    for (std::size_t i = 0; i < settings_.sinks.size(); ++i) {
        auto change = tracker_.set_route(settings_.sinks[i].name, make_route(settings_.sinks[i]));
        static_cast<void>(co_await asio::co_spawn(main_, std::move(change), http::use_task));
    }
    for (auto* worker : workers) {
        co_await asio::post(asio::bind_executor(worker->executor(), http::use_task));
        co_await asio::post(asio::bind_executor(main_.get_executor(), http::use_task));
    }
}

void service::replace_keys(const std::string& by) {
    const auto changes = keys_.replace(make_keys(settings_), system_clock());
    for (const auto& line : changes)
        base::log().info("{}: {}", by, line);
    base::log().info(
        "{}: {}, {} in force", by, changes.empty() ? "the keys are as they were" : "the keys have changed",
        settings_.keys.size()
    );
    if (settings_.keys.empty() && !changes.empty()) warn_if_open();
}

std::string service::configuration_text() const {
    return config::to_toml(settings_, config::key_hashes::masked);
}

std::string_view service::log_level() const {
    return config::to_string(settings_.log.level);
}

bool service::set_log_level(std::string_view level) {
    const auto known = config::log_level_named(level);
    if (!known) return false;
    live_.set_log_level(*known);
    set_up_log(settings_.log);
    base::log().info(
        "the log's level is {} until the next reload: the admin listener was asked for it", level
    );
    return true;
}

// Without keys it is the address that keeps strangers out.
void service::warn_if_open() const {
    for (const auto& listener : ingest_listeners_) {
        if (is_local(listener)) continue;
        base::log().warn(
            "whoever reaches {} may send events: no keys are configured (docs/keys.md)", listener.name()
        );
    }
}

void service::enter(stage next) {
    stage_ = next;
    manager_.enters(next);
    if (next == stage::running)
        base::log().info("running");
    else
        base::log().info("stage {}", to_string(next));
}

// A second signal: every deadline that remains is now.
void service::hurry() {
    if (!plan_) return; // `live` comes back to it
    base::log().warn("a second signal: the deadlines are now");
    plan_ = plan_->hurried(std::chrono::steady_clock::now());
    watchdog_.arm(plan_->watchdog_end);
    for (auto* worker : pool_.workers())
        asio::post(worker->executor(), [worker] { worker->hurry(); });
    tracker_.release_waiters();
    tracker_.hurry();
}

void service::part_failed(const std::string& name, std::exception_ptr why) {
    base::log_failed_task(name, std::move(why));
    stop_.by_failure(name);
}

// There is nobody left who could lead a drain.
void service::leading_failed(const std::string& name, std::exception_ptr why) {
    part_failed(name, std::move(why));
    watchdog_.arm(std::chrono::steady_clock::now());
}

// The watchdog's thread: only what needs no strand and no lock. The reason was set before the watchdog was
// armed, and stays.
void service::last_words() const {
    shutdown_summary summary;
    summary.reason = stop_.reason();
    const auto now = tracker_.losses();
    summary.accepted = now.accepted;
    summary.delivered = now.delivered;
    summary.pending = now.pending;
    summary.lost = now.lost;
    summary.took = took();
    base::log_without_waiting(
        spdlog::level::err,
        fmt::format("the shutdown hangs in stage {}: ending the process", to_string(stage_.load()))
    );
    base::log_without_waiting(spdlog::level::info, summary.line());
}

// Since somebody wanted to stop.
std::chrono::milliseconds service::took() const {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() - stop_.since());
}

} // namespace trackd::service
