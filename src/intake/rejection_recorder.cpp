#include "intake/rejection_recorder.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "intake/rejection_text.hpp"

#include <algorithm>
#include <utility>

namespace trackd::intake {

namespace {

// More than there are: a slug is a literal, and has few statuses.
constexpr std::size_t max_kinds = 96;
constexpr std::string_view other_reason = "other";

std::string name_of(const key* caller) {
    return caller == nullptr ? std::string{} : caller->name();
}

const key* caller_of(const http::request& asked, const http::response& said) {
    const auto& caller = said.caller ? said.caller : asked.caller;
    return static_cast<const key*>(caller.get());
}

http::rejection_record record_of(const http::request& asked, std::string_view route) {
    http::rejection_record made;
    if (!asked.path.empty()) {
        made.method = asked.method_text.substr(0, 16);
        made.path = path_for_operator(asked.path);
    } else if (route != "none") { // the request is forgotten already
        made.path = route;
    }
    return made;
}

std::string display_key(const std::string& name) {
    return base::json_string(name.empty() ? "none" : name);
}

// ` method="POST"`; nothing where it is not known.
std::string member(std::string_view name, std::string_view text) {
    return text.empty() ? std::string{} : " " + std::string{name} + '=' + base::json_string(text);
}

void log_request(const http::rejection_record& rejected, std::uint64_t unlogged) {
    base::log().warn(
        "intake: rejected a request, status={} reason={}{}{} key={} detail={}; {} more of this reason since "
        "the last such line",
        rejected.status, rejected.reason, member("method", rejected.method), member("path", rejected.path),
        display_key(rejected.key), base::json_string(rejected.detail), unlogged
    );
}

void log_calls(const http::rejection_record& rejected, std::uint64_t unlogged) {
    base::log().warn(
        "intake: rejected {} call(s) of a batch, path={} key={} reason={} detail={}; {} more batches with "
        "calls of this reason since the last such line",
        rejected.calls, base::json_string(rejected.path), display_key(rejected.key), rejected.reason,
        base::json_string(rejected.detail), unlogged
    );
}

} // namespace

rejection_recorder::rejection_recorder(clock& time, wall_clock wall) : clock_{time}, wall_{std::move(wall)} {
    // Those that an alert waits for: a counter that begins with 1 does not increase.
    constexpr std::pair<unsigned, std::string_view> common[] = {{400, "invalid_json"}, {401, "unauthorized"},
                                                                {404, "not_found"},    {422, "invalid_event"},
                                                                {429, "rate_limited"}, {503, "journal_full"}};
    for (const auto& [status, reason] : common)
        static_cast<void>(kind_of(status, reason, false));
}

void rejection_recorder::on_rejected(
    const http::request& asked, const http::response& said, std::string_view route
) {
    auto rejected = record_of(asked, route);
    rejected.status = static_cast<unsigned>(said.code);
    rejected.reason = reason_of(said.problem_slug());
    rejected.detail = detail_for_operator(said.problem_detail());
    rejected.key = name_of(caller_of(asked, said));
    if (const auto unlogged = keep(rejected)) log_request(rejected, *unlogged);
}

void rejection_recorder::record_calls(
    const http::request& asked, const key* caller, const rejected_calls& rejected
) {
    if (rejected.empty()) return;
    const auto& first = rejected.calls().front();
    auto batch = record_of(asked, "none");
    batch.status = static_cast<unsigned>(http::status::ok);
    batch.reason = to_string(fault_of(first.reason));
    batch.detail = detail_for_operator(describe(first));
    batch.key = name_of(caller);
    batch.calls = rejected.size();
    if (const auto unlogged = keep(batch)) log_calls(batch, *unlogged);
}

std::optional<std::uint64_t> rejection_recorder::keep(http::rejection_record rejected) {
    rejected.at = wall_();
    const auto now = clock_.now();
    const std::scoped_lock lock{mutex_};
    auto& of = kind_of(rejected.status, rejected.reason, rejected.calls > 0);
    ++of.count;
    if (records_.size() < max_records)
        records_.push_back(std::move(rejected));
    else
        records_[std::exchange(oldest_, (oldest_ + 1) % max_records)] = std::move(rejected);
    if (of.next_line && now < *of.next_line) {
        ++of.unlogged;
        return std::nullopt;
    }
    of.next_line = now + between_lines;
    return std::exchange(of.unlogged, 0);
}

rejection_recorder::kind&
rejection_recorder::kind_of(unsigned status, std::string_view reason, bool is_call) {
    const auto is_it = [&](const kind& each) {
        return each.status == status && each.is_call == is_call && each.reason == reason;
    };
    if (const auto known = std::ranges::find_if(kinds_, is_it); known != kinds_.end()) return *known;
    if (kinds_.size() < max_kinds) return kinds_.emplace_back(kind{status, std::string{reason}, is_call});
    if (kinds_.back().reason != other_reason) kinds_.push_back({0, std::string{other_reason}});
    return kinds_.back();
}

std::vector<http::rejection_count> rejection_recorder::counts() const {
    std::vector<http::rejection_count> all;
    const std::scoped_lock lock{mutex_};
    for (const auto& each : kinds_)
        if (!each.is_call) all.push_back({each.status, each.reason, each.count});
    std::ranges::sort(all, {}, [](const auto& one) { return std::pair{one.status, one.reason}; });
    return all;
}

std::vector<http::rejection_record> rejection_recorder::latest(std::size_t max) const {
    std::vector<http::rejection_record> found;
    const std::scoped_lock lock{mutex_};
    const auto count = std::min(max, records_.size());
    for (std::size_t back = 1; back <= count; ++back)
        found.push_back(records_[(oldest_ + records_.size() - back) % records_.size()]);
    return found;
}

} // namespace trackd::intake
