#include "admin/metrics.hpp"

#include "admin/process_figures.hpp"
#include "base/version.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace trackd::admin {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<prometheus::ClientMetric::Label>;
using page = std::vector<MetricFamily>;

MetricFamily& add_family(page& to, MetricType type, std::string name, std::string help) {
    return to.emplace_back(MetricFamily{std::move(name), std::move(help), type, {}});
}

MetricFamily& add_counter(page& to, std::string name, std::string help) {
    return add_family(to, MetricType::Counter, std::move(name), std::move(help));
}

MetricFamily& add_gauge(page& to, std::string name, std::string help) {
    return add_family(to, MetricType::Gauge, std::move(name), std::move(help));
}

void add(MetricFamily& to, double value, labels of = {}) {
    auto& sample = to.metric.emplace_back();
    sample.label = std::move(of);
    (to.type == MetricType::Counter ? sample.counter.value : sample.gauge.value) = value;
}

void add(MetricFamily& to, std::uint64_t value, labels of = {}) {
    add(to, static_cast<double>(value), std::move(of));
}

void add_histogram(page& to, std::string name, std::string help, const distribution& figures) {
    auto& shown = add_family(to, MetricType::Histogram, std::move(name), std::move(help))
                      .metric.emplace_back()
                      .histogram;
    for (const auto& [at_most, count] : figures.buckets) {
        shown.sample_count += count;
        shown.bucket.push_back({shown.sample_count, at_most});
    }
    shown.sample_count += figures.larger;
    shown.sample_sum = figures.sum;
}

// The answers of all threads, one sample for each route and status.
void add_requests(page& to, const std::vector<const http::counters*>& threads) {
    std::map<std::pair<std::string_view, unsigned>, std::uint64_t> sums;
    for (const auto* thread : threads)
        thread->answers.each([&](std::string_view route, unsigned code, std::uint64_t count) {
            sums[{route, code}] += count;
        });
    auto& requests = add_counter(
        to, "trackd_http_requests_total",
        "Requests that were answered, by the pattern of their route and the status of the answer."
    );
    for (const auto& [of, count] : sums) {
        const auto& [route, code] = of;
        add(requests, count,
            {{"route", std::string{route}},
             {"code", code == http::answer_counters::other ? "other" : std::to_string(code)}});
    }
}

void add_http(page& to, overview& of) {
    std::vector<const http::counters*> threads;
    for (const auto& group : of.listeners())
        for (const auto* worker : group.workers)
            threads.push_back(&worker->figures());
    add_requests(to, threads);

    auto& rejected = add_counter(
        to, "trackd_http_rejected_total", "Requests that were answered before a handler saw them, by reason."
    );
    for (const auto reason : base::all_values<http::refusal>) {
        std::uint64_t count = 0;
        for (const auto* thread : threads)
            count += thread->refusals[static_cast<std::size_t>(reason)].value();
        add(rejected, count, {{"reason", std::string{to_string(reason)}}});
    }

    std::uint64_t open = 0;
    for (const auto* thread : threads)
        open += thread->connections_open();
    add(add_gauge(to, "trackd_http_connections", "Open connections of all listeners."), open);

    auto& hits = add_counter(to, "trackd_limit_hits_total", "How often a limit was hit, by its name.");
    for (const auto& [limit, count] : of.limits())
        add(hits, count, {{"limit", std::string{limit}}});
}

void add_accepted(page& to, const overview& of) {
    auto events = MetricFamily{
        "trackd_events_accepted_total",
        "Events that were admitted, by key and format.",
        MetricType::Counter,
        {}
    };
    auto bytes = MetricFamily{
        "trackd_bytes_accepted_total",
        "Bytes of the events that were admitted, as they are encoded, by key and format.",
        MetricType::Counter,
        {}
    };
    for (const auto& one : of.accepted()) {
        const labels by{{"key", one.key}, {"format", std::string{one.format}}};
        add(events, one.events, by);
        add(bytes, one.bytes, by);
    }
    to.push_back(std::move(events));
    to.push_back(std::move(bytes));
}

void add_rejections(page& to, const overview& of) {
    auto& rejected = add_counter(
        to, "trackd_requests_rejected_total",
        "Requests to the ingest listener that were answered with an error, by status and reason."
    );
    for (const auto& [status, reason, count] : of.rejections())
        add(rejected, count, {{"code", status == 0 ? "other" : std::to_string(status)}, {"reason", reason}});
}

void add_rejected_calls(page& to, const overview& of) {
    auto& rejected = add_counter(
        to, "trackd_calls_rejected_total",
        "Calls of analytics clients that were left out of a batch, by reason."
    );
    for (const auto& [reason, calls] : of.rejected_calls())
        add(rejected, calls, {{"reason", std::string{reason}}});
}

// What waits for the sink that has most to do: the backlog keeps it for the others, too.
void add_backlog(page& to, const tracker_status& tracker) {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::chrono::seconds oldest{0};
    for (const auto& sink : tracker.sinks) {
        events = std::max(events, sink.pending);
        bytes = std::max(bytes, sink.lag_bytes);
        oldest = std::max(oldest, sink.lag);
    }
    add(add_gauge(to, "trackd_backlog_events", "Accepted events that some sink has not yet taken."), events);
    add(add_gauge(to, "trackd_backlog_bytes", "Bytes of these events, as they are encoded."), bytes);
    add(add_gauge(to, "trackd_backlog_oldest_seconds", "How old the oldest of these events is."),
        static_cast<double>(oldest.count()));
}

void add_journal(page& to, const journal_status& journal) {
    add(add_gauge(to, "trackd_journal_bytes", "What the journal takes on disk."), journal.bytes);
    add(add_gauge(to, "trackd_journal_max_bytes", "What the journal may take on disk."), journal.max_bytes);
    auto& held = add_gauge(
        to, "trackd_journal_held_events", "Events that the journal keeps for the sink, configured or not."
    );
    for (const auto& holder : journal.holders)
        add(held, holder.events, {{"sink", holder.sink}});
    add_histogram(
        to, "trackd_journal_commit_seconds", "How long a commit of the journal took, with its sync.",
        journal.commit_seconds
    );
    add_histogram(
        to, "trackd_journal_commit_events", "How many events a commit of the journal stored.",
        journal.commit_events
    );
}

void add_sinks(page& to, const std::vector<sink_status>& sinks) {
    const auto add_each = [&sinks](MetricFamily& family, auto figure) {
        for (const auto& sink : sinks)
            add(family, figure(sink), {{"sink", sink.name}});
    };
    const auto add_count = [&](std::string name, std::string help, std::uint64_t sink_status::* figure) {
        add_each(
            add_counter(to, "trackd_sink_" + name + "_total", std::move(help)),
            [figure](const sink_status& sink) { return sink.*figure; }
        );
    };
    add_count("delivered", "Events that the sink has confirmed.", &sink_status::delivered);
    add_count(
        "dead_lettered", "Events that the sink rejected while others passed, and that became dead letters.",
        &sink_status::dead_lettered
    );
    add_count(
        "lost", "Events that the sink will never get, because a drain ended before it.", &sink_status::lost
    );
    add_count("retries", "Writes that were tried again.", &sink_status::retries);
    add_count(
        "all_rejected", "Attempts at which the sink rejected every event that was tried.",
        &sink_status::all_rejected
    );
    // Without those ahead of the cursor: they are counted again after a restart, and a counter must not fall.
    add_each(
        add_counter(to, "trackd_sink_filtered_total", "Events that the sink's route did not want."),
        [](const sink_status& sink) { return sink.filtered - sink.filtered_ahead; }
    );
    add_count(
        "skipped", "Events that the sink skipped, for want of room or because the operator asked for it.",
        &sink_status::skipped
    );
    add_count("damaged", "Events that can no longer be read from the journal.", &sink_status::damaged);
    add_each(
        add_gauge(to, "trackd_sink_pending_events", "Events that the sink has not yet taken."),
        [](const sink_status& sink) { return sink.pending; }
    );
    add_each(
        add_gauge(
            to, "trackd_sink_lag_seconds", "How old the oldest event is that the sink has not yet taken."
        ),
        [](const sink_status& sink) { return static_cast<double>(sink.lag.count()); }
    );
    add_each(
        add_gauge(to, "trackd_sink_paused", "1 while the sink is paused by the operator, 0 otherwise."),
        [](const sink_status& sink) { return sink.paused ? 1.0 : 0.0; }
    );
}

void add_daemon(page& to, stage now) {
    auto& stages = add_gauge(to, "trackd_stage", "1 for the stage that the daemon is in, 0 for the others.");
    for (const auto each : all_stages)
        add(stages, each == now ? 1.0 : 0.0, {{"stage", std::string{to_string(each)}}});
    add(add_gauge(to, "trackd_build_info", "Always 1: its label tells the version."), 1.0,
        {{"version", std::string{base::version}}});
}

// What cannot be read, as where no descriptor is left, is missing: the rest is wanted then more than ever.
void add_process(page& to) {
    process_figures figures;
    try {
        figures = read_process_figures();
    } catch (const std::runtime_error&) {
        return;
    }
    add(add_counter(to, "process_cpu_seconds_total", "Processor time in user mode and in the system."),
        figures.cpu_seconds);
    add(add_gauge(to, "process_resident_memory_bytes", "Resident memory."), figures.resident_bytes);
    add(add_gauge(to, "process_virtual_memory_bytes", "Virtual memory."), figures.virtual_bytes);
    add(add_gauge(to, "process_threads", "Threads."), figures.threads);
    add(add_gauge(to, "process_open_fds", "Open file descriptors."), figures.open_files);
    add(add_gauge(to, "process_max_fds", "File descriptors that may be open."), figures.max_files);
    add(add_gauge(to, "process_start_time_seconds", "When the process was started, in seconds since 1970."),
        figures.start_seconds);
}

http::task<void> show_metrics(overview& of, http::response& res) {
    const auto tracker = co_await boost::asio::co_spawn(
        co_await boost::asio::this_coro::executor, of.the_tracker().status(), http::use_task
    );
    page families;
    add_http(families, of);
    add_accepted(families, of);
    add_rejections(families, of);
    add_rejected_calls(families, of);
    add_backlog(families, tracker);
    if (tracker.journal) add_journal(families, *tracker.journal);
    add_sinks(families, tracker.sinks);
    add_daemon(families, of.current_stage());
    add_process(families);
    res.content_type = "text/plain; version=0.0.4; charset=utf-8";
    res.body = prometheus::TextSerializer{}.Serialize(families);
}

} // namespace

void add_metrics_route(http::router& routes, overview& of) {
    routes.add(
        http::verb::get, "/metrics",
        [&of](const http::request&, http::response& res) -> http::pending { return show_metrics(of, res); }
    );
}

} // namespace trackd::admin
