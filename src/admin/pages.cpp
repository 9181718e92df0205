#include "admin/pages.hpp"

#include "admin/rejections.hpp"
#include "admin/start_page.hpp"
#include "base/rfc3339.hpp"
#include "base/version.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace trackd::admin {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// A commit that takes longer is a reason to send clients elsewhere.
constexpr std::chrono::seconds most_patience_with_the_disk{10};

// Of the rejections: `/debug/rejections` has more.
constexpr std::size_t latest_in_status = 5;

std::int64_t seconds(std::chrono::steady_clock::duration span) {
    return std::chrono::floor<std::chrono::seconds>(span).count();
}

json::string_view text(std::string_view of) {
    return {of.data(), of.size()};
}

std::uint64_t sum(const std::vector<listener_group>& groups, std::uint64_t (*figure)(const http::counters&)) {
    std::uint64_t total = 0;
    for (const auto& group : groups)
        for (const auto* worker : group.workers)
            total += figure(worker->figures());
    return total;
}

json::object connections_of(const std::vector<listener_group>& groups) {
    json::object open;
    for (const auto& group : groups)
        open[group.name] = sum({group}, [](const http::counters& c) { return c.connections_open(); });
    return open;
}

json::object http_of(const std::vector<listener_group>& groups) {
    json::object figures;
    figures["requests"] = sum(groups, [](const http::counters& c) { return c.requests.value(); });
    figures["handler_errors"] = sum(groups, [](const http::counters& c) { return c.handler_errors.value(); });
    figures["turned_away"] = std::accumulate(
        groups.begin(), groups.end(), std::uint64_t{0},
        [](std::uint64_t n, const listener_group& group) { return n + group.turned_away; }
    );
    figures["tls_handshakes"] = sum(groups, [](const http::counters& c) { return c.tls_handshakes.value(); });
    figures["tls_failures"] = sum(groups, [](const http::counters& c) { return c.tls_failures.value(); });
    figures["proxy_failures"] = sum(groups, [](const http::counters& c) { return c.proxy_failures.value(); });
    return figures;
}

json::object limits_page(const std::vector<limit_hits>& limits) {
    json::object page;
    for (const auto& [limit, hits] : limits)
        page[text(limit)] = hits;
    return page;
}

json::object rejected_calls_page(const std::vector<call_rejections>& rejections) {
    json::object page;
    for (const auto& [reason, calls] : rejections)
        page[text(reason)] = calls;
    return page;
}

std::string written(wall_time time) {
    std::string text;
    base::append_rfc3339(text, time);
    return text;
}

json::object configuration_page(const configuration_state& of) {
    json::object page{
        {"generation", of.generation},
        {"since", written(of.since)},
        {"changed", json::array(of.changed.begin(), of.changed.end())},
        {"refused", nullptr}
    };
    if (of.refused)
        page["refused"] = json::object{
            {"at", written(of.refused->at)},
            {"wrong", json::array(of.refused->wrong.begin(), of.refused->wrong.end())}
        };
    return page;
}

json::object tracker_page(const tracker_status& status, std::uint64_t delivered, const std::string& ack) {
    return {
        {"ack", ack},
        {"accepted", status.accepted},
        {"delivered", delivered},
        {"refused", status.refused},
        {"pending_events", status.pending_events},
        {"pending_bytes", status.pending_bytes},
        {"sealed", status.sealed},
    };
}

json::object shutdown_page(const shutdown_progress& shutdown) {
    const auto exactly = [](std::chrono::steady_clock::duration span) {
        return std::chrono::duration<double>(std::chrono::floor<std::chrono::milliseconds>(span)).count();
    };
    return {
        {"reason", shutdown.reason},
        {"stage_seconds_left", exactly(shutdown.stage_left)},
        {"seconds_left", exactly(shutdown.left)},
    };
}

std::string_view to_string(backlog_condition condition) {
    switch (condition) {
    case backlog_condition::good: return "good";
    case backlog_condition::full: return "full";
    case backlog_condition::failed: return "failed";
    }
    return "unknown";
}

// The sink with the oldest events.
json::value holder_page(const std::vector<journal_holder>& all) {
    if (all.empty() || all.front().events == 0) return nullptr;
    const auto& holder = all.front();
    return json::object{
        {"sink", holder.sink},
        {"configured", holder.configured},
        {"position", holder.oldest},
        {"events", holder.events},
    };
}

json::object journal_page(const journal_status& journal, backlog_condition condition) {
    return {
        {"condition", text(to_string(condition))},
        {"segments", journal.segments},
        {"bytes", journal.bytes},
        {"max_bytes", journal.max_bytes},
        {"commits", journal.commits},
        {"last_commit_us", journal.last_commit.count()},
        {"fulls", journal.fulls},
        {"damaged_bytes", journal.damaged_bytes},
        {"torn_bytes", journal.torn_bytes},
        {"last_error", journal.last_error},
        {"held_by", holder_page(journal.holders)},
    };
}

json::value seconds_or_null(const std::optional<std::chrono::seconds>& span) {
    return span ? json::value(span->count()) : json::value(nullptr);
}

json::object sink_page(const sink_status& sink, std::uint64_t dead_letters_kept) {
    return {
        {"name", sink.name},
        {"kind", sink.kind},
        {"accepted", sink.accepted},
        {"delivered", sink.delivered},
        {"pending", sink.pending},
        {"filtered", sink.filtered},
        {"dead_lettered", sink.dead_lettered},
        {"skipped", sink.skipped},
        {"damaged", sink.damaged},
        {"lost", sink.lost},
        {"lag_events", sink.pending},
        {"lag_bytes", sink.lag_bytes},
        {"lag_seconds", sink.lag.count()},
        {"caught_up_in_seconds", seconds_or_null(sink.caught_up_in)},
        {"duplicates", sink.duplicates},
        {"batches", sink.batches},
        {"retries", sink.retries},
        {"rejecting_all", sink.rejecting_all},
        {"all_rejected", sink.all_rejected},
        {"failing", sink.failing},
        {"failing_seconds", sink.failing_for.count()},
        {"last_error", sink.last_error},
        {"warning", sink.warning},
        {"at_start", at_start_page(sink.at_start)},
        {"paused", sink.paused},
        {"paused_seconds", sink.paused_for.count()},
        {"dead_letters_kept", dead_letters_kept},
    };
}

http::task<void> show_status(overview& of, http::response& res) {
    const auto tracker = co_await asio::co_spawn(
        co_await asio::this_coro::executor, of.the_tracker().status(), http::use_task
    );
    const auto groups = of.listeners();
    json::array sinks;
    for (const auto& sink : tracker.sinks)
        sinks.push_back(sink_page(sink, of.dead_letters_kept(sink.name)));
    json::object page;
    page["stage"] = text(to_string(of.current_stage()));
    page["version"] = base::version;
    page["uptime_seconds"] = seconds(of.uptime());
    page["configuration"] = configuration_page(of.configuration());
    if (const auto shutdown = of.shutdown()) page["shutdown"] = shutdown_page(*shutdown);
    page["connections"] = connections_of(groups);
    page["http"] = http_of(groups);
    page["rejections"] = rejections_page(of, latest_in_status);
    page["http"].as_object()["rejected"] = page["rejections"].at("total");
    page["limits"] = limits_page(of.limits());
    page["rejected_calls"] = rejected_calls_page(of.rejected_calls());
    page["tracker"] = tracker_page(tracker, of.the_tracker().delivered(), of.ack());
    if (tracker.journal) page["last_run"] = last_run_page(*tracker.journal);
    if (tracker.journal) page["journal"] = journal_page(*tracker.journal, tracker.condition);
    page["sinks"] = std::move(sinks);
    page["keys"] = keys_page(of.keys());
    res.json(http::status::ok, json::serialize(page));
}

// The list of a worker's connections is its own thread's business: go there and come back.
http::task<std::vector<http::connection_info>>
connections_on(http::worker& worker, std::size_t most = SIZE_MAX, bool with_peers = false) {
    const auto here = co_await asio::this_coro::executor;
    co_await asio::post(asio::bind_executor(worker.executor(), http::use_task));
    auto connections = worker.connections(most, with_peers);
    co_await asio::post(asio::bind_executor(here, http::use_task));
    co_return connections;
}

json::object task_page(std::string_view owner, const base::running_task& task) {
    return {{"owner", text(owner)}, {"name", task.name}, {"age_seconds", seconds(task.age)}};
}

http::task<void> show_tasks(overview& of, http::response& res) {
    json::array connections;
    for (const auto& group : of.listeners()) {
        for (auto* worker : group.workers) {
            for (const auto& one : co_await connections_on(*worker))
                connections.push_back(json::object{
                    {"listener", group.name},
                    {"state", text(one.state)},
                    {"in_state_seconds", seconds(one.in_state)},
                    {"age_seconds", seconds(one.age)}
                });
        }
    }
    const auto tracker = co_await asio::co_spawn(
        co_await asio::this_coro::executor, of.the_tracker().activities(), http::use_task
    );
    json::array tasks;
    for (const auto& task : of.tasks())
        tasks.push_back(task_page("service", {task.name, task.age}));
    for (const auto& delivery : tracker.deliveries)
        tasks.push_back(task_page("tracker", {delivery.name, delivery.age}));
    for (const auto& timer : tracker.timers)
        tasks.push_back(task_page("tracker", {timer.name, timer.age}));
    json::object counts;
    counts["connections"] = connections.size();
    counts["deliveries"] = tracker.deliveries.size();
    counts["timers"] = tracker.timers.size();
    counts["tasks"] = tasks.size();
    json::object page;
    page["counts"] = std::move(counts);
    page["connections"] = std::move(connections);
    page["tasks"] = std::move(tasks);
    res.json(http::status::ok, json::serialize(page));
}

json::object connection_page(const listener_group& group, const http::connection_info& one) {
    return {
        {"listener", group.name},
        {"peer", one.peer},
        {"tls", one.tls},
        {"state", text(one.state)},
        {"in_state_seconds", seconds(one.in_state)},
        {"age_seconds", seconds(one.age)},
        {"requests", one.requests},
        {"bytes_received", one.bytes_received},
        {"bytes_sent", one.bytes_sent},
    };
}

http::task<void> show_connections(overview& of, http::response& res) {
    constexpr std::size_t most = 1000; // of one kind of listener: a page for people, that holds nobody up
    const auto groups = of.listeners();
    json::array connections;
    for (const auto& group : groups) {
        for (auto* worker : group.workers) {
            for (const auto& one : co_await connections_on(*worker, most / group.workers.size(), true))
                connections.push_back(connection_page(group, one));
        }
    }
    const json::object page{{"open", connections_of(groups)}, {"connections", std::move(connections)}};
    res.json(http::status::ok, json::serialize(page));
}

} // namespace

void add_health_routes(http::router& routes, overview& of, health_detail detail) {
    const bool named = detail == health_detail::reason;
    const auto healthz = [&of, named](const http::request&, http::response& res) -> http::pending {
        if (const auto ailment = of.ailment(); !ailment.empty())
            res.text(http::status::service_unavailable, named ? ailment + "\n" : "not alive\n");
        else
            res.text(http::status::ok, "ok\n");
        return {};
    };
    const auto readyz = [&of, named](const http::request&, http::response& res) -> http::pending {
        const auto now = of.current_stage();
        if (now != stage::running)
            res.text(http::status::service_unavailable, std::string{to_string(now)} + "\n");
        else if (of.the_tracker().busy_for() > most_patience_with_the_disk)
            res.text(
                http::status::service_unavailable,
                named ? "the journal's disk does not answer\n" : "not ready\n"
            );
        else if (const auto sink = of.sink_not_ready(); !sink.empty())
            res.text(
                http::status::service_unavailable,
                named ? "sink " + std::string{sink} + " is failing\n" : "not ready\n"
            );
        else
            res.text(http::status::ok, "running\n");
        return {};
    };
    // Who asks is a load balancer, or the service manager: they have no key.
    routes.add(http::verb::get, "/healthz", healthz, http::access::open);
    routes.add(http::verb::get, "/readyz", readyz, http::access::open);
}

void add_status_routes(http::router& routes, overview& of) {
    routes.add(http::verb::get, "/status", [&of](const http::request&, http::response& res) -> http::pending {
        return show_status(of, res);
    });
    routes.add(
        http::verb::get, "/debug/tasks",
        [&of](const http::request&, http::response& res) -> http::pending { return show_tasks(of, res); }
    );
    routes.add(
        http::verb::get, "/debug/connections",
        [&of](const http::request&, http::response& res) -> http::pending {
            return show_connections(of, res);
        }
    );
}

} // namespace trackd::admin
