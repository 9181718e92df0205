// The record of what is rejected: counts, the latest ones, and few log lines.
#include "http/response.hpp"
#include "intake/rejection_recorder.hpp"
#include "support/captured_log.hpp"
#include "support/catch.hpp"
#include "support/manual_clock.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using namespace trackd;

namespace {

struct fixture {
    void reject(
        http::status status, std::string_view slug, std::string_view path = "/events",
        std::string_view detail = "wrong"
    ) {
        asked.path = path;
        said.clear();
        said.problem(status, slug, detail);
        recorder.on_rejected(asked, said, "none");
    }

    std::uint64_t count_of(unsigned status, std::string_view reason) const {
        for (const auto& each : recorder.counts())
            if (each.status == status && each.reason == reason) return each.count;
        return 0;
    }

    test::manual_clock time;
    wall_time now{1s};
    intake::rejection_recorder recorder{time, [this] { return now; }};
    http::request asked;
    http::response said;
};

} // namespace

TEST_CASE_METHOD(fixture, "rejections are counted by status and reason", "[intake][rejections]") {
    test::captured_log log;
    reject(http::status::not_found, "not-found");
    reject(http::status::not_found, "not-found", "/other");
    reject(http::status::bad_request, "not-found");
    CHECK(count_of(404, "not_found") == 2);
    CHECK(count_of(400, "not_found") == 1);
    CHECK(count_of(401, "unauthorized") == 0);
}

TEST_CASE_METHOD(fixture, "the last fifty are kept, the newest first", "[intake][rejections]") {
    test::captured_log log;
    CHECK(recorder.latest().empty());
    for (int i = 0; i < 120; ++i) {
        now += 1s;
        reject(http::status::not_found, "not-found", "/" + std::to_string(i));
    }
    const auto kept = recorder.latest();
    REQUIRE(kept.size() == 50);
    CHECK(kept.front().path == "/119");
    CHECK(kept.front().at == wall_time{121s});
    CHECK(kept.back().path == "/70");
    REQUIRE(recorder.latest(2).size() == 2);
    CHECK(recorder.latest(2).back().path == "/118");
}

TEST_CASE_METHOD(fixture, "a record says who asked for what, and why not", "[intake][rejections]") {
    test::captured_log log;
    asked.method_text = "POST";
    intake::key_options web;
    web.name = "web";
    const auto caller = std::make_shared<const intake::key>(web, 0, nullptr, intake::key::uses{}, time);
    asked.caller = caller;
    reject(http::status::unprocessable_entity, "invalid-event", "/events", R"("time" is "never")");
    const auto record = recorder.latest(1).front();
    CHECK(record.status == 422);
    CHECK(record.reason == "invalid_event");
    CHECK(record.detail == R"("time" is "…")");
    CHECK(record.key == "web");
    CHECK(record.method == "POST");
    CHECK(record.path == "/events");
    CHECK(record.calls == 0);
    asked.caller.reset();
    said.caller = caller; // as the handler found out
    recorder.on_rejected(asked, said, "none");
    CHECK(recorder.latest(1).front().key == "web");
}

TEST_CASE_METHOD(fixture, "the route stands for a path that is forgotten", "[intake][rejections]") {
    test::captured_log log;
    said.unavailable("journal-full", "full", 1s);
    recorder.on_rejected(asked, said, "/events/{type}");
    CHECK(recorder.latest(1).front().path == "/events/{type}");
    recorder.on_rejected(asked, said, "none");
    CHECK(recorder.latest(1).front().path.empty());
}

TEST_CASE_METHOD(fixture, "the log has one line a reason in ten seconds", "[intake][rejections]") {
    test::captured_log log;
    for (int i = 0; i < 1000; ++i)
        reject(http::status::not_found, "not-found");
    reject(http::status::unauthorized, "unauthorized");
    CHECK(log.lines().size() == 2);
    time.advance(10s);
    reject(http::status::not_found, "not-found");
    REQUIRE(log.lines().size() == 3);
    CHECK(
        log.lines().back() ==
        R"(warning intake: rejected a request, status=404 reason=not_found path="/events" key="none" )"
        R"(detail="wrong"; 999 more of this reason since the last such line)"
    );
}

TEST_CASE_METHOD(fixture, "nothing of a client reaches the log as it came", "[intake][rejections]") {
    test::captured_log log;
    asked.method_text = "P\x1b[1m";
    reject(http::status::not_found, "not-found", "/a\nb\x7f trk_secret", "c\r\nd");
    REQUIRE(log.lines().size() == 1);
    const auto line = log.lines().front();
    CHECK(line.find(R"(path="/a\nb\u007f trk_…")") != line.npos);
    CHECK(line.find(R"(detail="c\r\nd")") != line.npos);
    CHECK(line.find('\x1b') == line.npos);
}

TEST_CASE_METHOD(fixture, "calls of a batch are listed with their number", "[intake][rejections]") {
    test::captured_log log;
    intake::rejected_calls rejected;
    recorder.record_calls(asked, nullptr, rejected);
    CHECK(recorder.latest().empty());
    rejected.add(3, {intake::refusal_kind::invalid_json, "found 'N'"});
    rejected.add(5, {intake::refusal_kind::no_user, "no user"});
    asked.path = "/v1/batch";
    recorder.record_calls(asked, nullptr, rejected);
    const auto record = recorder.latest(1).front();
    CHECK(record.status == 200);
    CHECK(record.reason == "invalid_json");
    CHECK(record.detail == "batch [3]: found '?'");
    CHECK(record.calls == 2);
    CHECK(count_of(200, "invalid_json") == 0);
    recorder.record_calls(asked, nullptr, rejected);
    CHECK(log.lines("rejected 2 call(s) of a batch").size() == 1);
}

TEST_CASE_METHOD(fixture, "the number of reasons is bounded", "[intake][rejections]") {
    test::captured_log log;
    for (unsigned i = 0; i < 200; ++i)
        reject(http::status::not_found, "s" + std::to_string(i));
    CHECK(recorder.counts().size() <= 97);
    CHECK(count_of(0, "other") > 100);
}
