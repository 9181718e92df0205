#include "service/status_text.hpp"

#include "backlog/text_table.hpp"
#include "base/json_text.hpp"
#include "config/units.hpp"
#include "service/rejections_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>

namespace trackd::service {

namespace {

namespace json = boost::json;

std::uint64_t number(const json::value& in, std::string_view key) {
    return in.at({key.data(), key.size()}).to_number<std::uint64_t>();
}

std::string count(const json::value& in, std::string_view key) {
    return std::to_string(number(in, key));
}

std::string text(const json::value& in, std::string_view key) {
    return json::value_to<std::string>(in.at({key.data(), key.size()}));
}

/// `3d 4h`, `4h 5m`, `5m 6s`, `6s`.
std::string span(std::uint64_t seconds) {
    struct unit {
        std::uint64_t seconds;
        const char* name;
    };

    constexpr unit units[] = {{86'400, "d"}, {3'600, "h"}, {60, "m"}, {1, "s"}};
    std::string said;
    for (const auto& [length, name] : units) {
        const bool is_second = !said.empty();
        if (seconds >= length || is_second || length == 1)
            said += (is_second ? " " : "") + std::to_string(seconds / length) + name;
        seconds %= length;
        if (is_second) break;
    }
    return said;
}

std::string configuration_lines(const json::value& of) {
    auto lines = "configuration  " + count(of, "generation") + ", since " + text(of, "since");
    std::string changed;
    for (const auto& key : of.at("changed").as_array())
        changed += (changed.empty() ? "; changed: " : ", ") + json::value_to<std::string>(key);
    lines += changed + '\n';
    if (of.at("refused").is_null()) return lines;
    lines += "               another one was refused at " + text(of.at("refused"), "at") + ":\n";
    for (const auto& line : of.at("refused").at("wrong").as_array())
        lines += "               " + json::value_to<std::string>(line) + '\n';
    return lines;
}

// The sink that holds the oldest events, where that is why the journal is full, or nothing delivers them.
std::string holder_line(const json::value& journal) {
    const auto* holder = journal.as_object().if_contains("held_by");
    if (holder == nullptr || holder->is_null()) return {};
    const bool is_configured = holder->at("configured").as_bool();
    if (is_configured && text(journal, "condition") != "full") return {};
    const auto sink = text(*holder, "sink");
    auto line = "               sink " + sink + " holds the oldest events, " + count(*holder, "events") +
                " from position " + count(*holder, "position") + " on";
    if (!is_configured) line += "; it is not configured, give them up: trackd sink forget " + sink;
    return line + '\n';
}

std::string journal_line(const json::value& of) {
    auto line = "journal        " + text(of, "condition") + ", " + config::format_size(number(of, "bytes")) +
                " of " + config::format_size(number(of, "max_bytes"));
    const auto error = text(of, "last_error");
    return line + (error.empty() ? "" : ", last error " + base::json_string(error)) + '\n' + holder_line(of);
}

std::string sink_at_start(const json::value& sink) {
    const auto* at_start = sink.as_object().if_contains("at_start");
    if (at_start == nullptr || number(*at_start, "pending") == 0) return {};
    return text(sink, "name") + (at_start->at("at_most").as_bool() ? " at most " : " ") +
           count(*at_start, "pending") + (at_start->at("caught_up").as_bool() ? " (caught up)" : "");
}

// How the run before this one ended, and what it left.
std::string last_run_lines(const json::value& page) {
    const auto* run = page.as_object().if_contains("last_run");
    if (run == nullptr) return {};
    const auto ended = text(*run, "ended");
    if (ended == "first_start") return "last run       none, this is the first start\n";
    auto line = "last run       " + ended;
    if (number(*run, "torn_bytes") > 0)
        line += ", torn tail: " + count(*run, "torn_bytes") + " bytes are set aside";
    line += "; the journal held " + count(*run, "journal_events") + " events\n";
    std::string pending;
    for (const auto& sink : page.at("sinks").as_array())
        if (const auto of_sink = sink_at_start(sink); !of_sink.empty())
            pending += (pending.empty() ? "" : ", ") + of_sink;
    return pending.empty() ? line : line + "               pending at the start: " + pending + '\n';
}

// Not about events that fail: about what the destination no longer has.
std::string warning_lines(const json::array& sinks) {
    std::string lines;
    for (const auto& sink : sinks) {
        const auto* warning = sink.as_object().if_contains("warning");
        if (warning != nullptr && !warning->as_string().empty())
            lines += "\nwarning: sink " + text(sink, "name") + ": " +
                     base::json_string(text(sink, "warning")) + '\n';
    }
    return lines;
}

// Nothing where no call was left out of its batch.
std::string rejected_calls_line(const json::value& page) {
    const auto* rejected = page.as_object().if_contains("rejected_calls");
    if (rejected == nullptr) return {};
    std::string reasons;
    for (const auto& reason : rejected->as_object())
        if (const auto calls = reason.value().to_number<std::uint64_t>(); calls > 0)
            reasons.append(reasons.empty() ? "" : ", ")
                .append(std::to_string(calls))
                .append(" ")
                .append(reason.key());
    return reasons.empty() ? reasons : "calls          rejected: " + reasons + '\n';
}

std::string sink_state(const json::value& sink) {
    const auto* paused = sink.as_object().if_contains("paused");
    if (paused != nullptr && paused->as_bool()) return "paused for " + span(number(sink, "paused_seconds"));
    if (!sink.at("failing").as_bool()) return "works";
    return "failing for " + span(number(sink, "failing_seconds")) + ": " +
           base::json_string(text(sink, "last_error"));
}

std::string sinks_table(const json::array& sinks) {
    using enum journal::text_table::align;
    journal::text_table table{
        {{"SINK", left},
         {"KIND", left},
         {"DELIVERED", right},
         {"PENDING", right},
         {"LAG", right},
         {"FILTERED", right},
         {"DEAD LETTERS", right},
         {"LOST", right},
         {"STATE", left}}
    };
    for (const auto& sink : sinks) {
        table.add(
            {text(sink, "name"), text(sink, "kind"), count(sink, "delivered"), count(sink, "pending"),
             span(number(sink, "lag_seconds")), count(sink, "filtered"), count(sink, "dead_letters_kept"),
             std::to_string(number(sink, "lost") + number(sink, "damaged") + number(sink, "skipped")),
             sink_state(sink)}
        );
    }
    return table.text();
}

std::string time_or_never(const json::value& time) {
    return time.is_null() ? "never" : json::value_to<std::string>(time);
}

std::string keys_table(const json::array& keys) {
    using enum journal::text_table::align;
    journal::text_table table{{{"KEY", left}, {"SHA256", left}, {"FIRST USED", left}, {"LAST USED", left}}};
    for (const auto& key : keys) {
        auto name = text(key, "name");
        for (const auto& hash : key.at("hashes").as_array()) {
            table.add(
                {name, text(hash, "sha256"), time_or_never(hash.at("first_used")),
                 time_or_never(hash.at("last_used"))}
            );
            name.clear();
        }
    }
    return table.text();
}

} // namespace

std::string status_text(std::string_view from) {
    try {
        const auto page = json::parse({from.data(), from.size()});
        const auto& tracker = page.at("tracker");
        const auto& http = page.at("http");
        auto said = "trackd " + text(page, "version") + "  " + text(page, "stage") + " for " +
                    span(number(page, "uptime_seconds")) + '\n';
        said += configuration_lines(page.at("configuration"));
        said += "events         " + count(tracker, "accepted") + " accepted, " + count(tracker, "refused") +
                " refused, " + count(tracker, "pending_events") + " wait in memory\n";
        if (const auto* journal = page.as_object().if_contains("journal")) said += journal_line(*journal);
        said += last_run_lines(page);
        said += "http           " + count(page.at("connections"), "ingest") + " connections, " +
                count(http, "requests") + " requests, " + count(http, "rejected") + " rejected\n";
        said += rejections_text(page) + rejected_calls_line(page) + '\n';
        said += sinks_table(page.at("sinks").as_array());
        said += warning_lines(page.at("sinks").as_array());
        const auto* keys = page.as_object().if_contains("keys");
        return keys == nullptr || keys->as_array().empty() ? said
                                                           : said + '\n' + keys_table(keys->as_array());
    } catch (const std::exception&) {
        throw std::runtime_error{"the daemon's answer is not understood; is it another version?"};
    }
}

} // namespace trackd::service
