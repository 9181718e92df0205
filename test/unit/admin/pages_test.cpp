// The admin pages over a real socket, asked by the same code as a container's health check.
#include "admin/healthcheck.hpp"
#include "admin/metrics.hpp"
#include "admin/pages.hpp"
#include "admin/rejections.hpp"
#include "http/listener.hpp"
#include "support/catch.hpp"
#include "support/fake_sink.hpp"
#include "support/run.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <future>

using namespace trackd;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

std::vector<sink_spec> one_sink() {
    std::vector<sink_spec> sinks(1);
    sinks[0].name = "fake";
    sinks[0].kind = "fake";
    sinks[0].sink = std::make_unique<test::fake_sink>(std::make_shared<test::fake_sink_script>());
    return sinks;
}

struct admin_fixture : admin::overview {
    explicit admin_fixture(admin::health_detail which = admin::health_detail::reason) : detail{which} {
        tracker.start();
        accepting.spawn("listener", listener.run());
    }

    ~admin_fixture() override {
        listener.close();
        test::run_until(context, [this] { return accepting.size() == 0; });
        worker.begin_close({}, {});
        (void)test::run(context, worker.join());
        (void)test::run(context, tracker.drain(system_clock().now() + 5s));
    }

    [[nodiscard]] stage current_stage() const noexcept override { return now; }

    [[nodiscard]] std::chrono::steady_clock::duration uptime() const override { return 90s; }

    [[nodiscard]] std::optional<admin::shutdown_progress> shutdown() const override { return ending; }

    [[nodiscard]] std::string ack() const override { return "accepted"; }

    [[nodiscard]] trackd::tracker& the_tracker() override { return tracker; }

    [[nodiscard]] std::vector<admin::listener_group> listeners() override { return {{"admin", {&worker}}}; }

    [[nodiscard]] std::vector<admin::limit_hits> limits() const override {
        return {{"http.max_body_bytes", 3}, {"json_depth", 0}};
    }

    [[nodiscard]] std::vector<admin::accepted_events> accepted() const override {
        return {{"none", "native", 5, 700}};
    }

    [[nodiscard]] std::vector<admin::key_activity> keys() const override { return {}; }

    [[nodiscard]] std::vector<admin::call_rejections> rejected_calls() const override {
        return {{"invalid_json", 2}, {"no_user", 0}};
    }

    [[nodiscard]] std::vector<http::rejection_count> rejections() const override {
        return {{401, "unauthorized", 2}, {404, "not_found", 0}};
    }

    [[nodiscard]] std::vector<http::rejection_record> latest_rejections(std::size_t max) const override {
        const http::rejection_record call{wall_time{1s}, 200,    "no_user",   "batch [1]",
                                          "web",         "POST", "/v1/batch", 3};
        return std::vector<http::rejection_record>(std::min<std::size_t>(max, 7), call);
    }

    [[nodiscard]] std::string ailment() const override { return ails; }

    [[nodiscard]] const admin::configuration_state& configuration() const override { return in_force; }

    [[nodiscard]] std::string_view sink_not_ready() const override { return failing_sink; }

    [[nodiscard]] std::uint64_t dead_letters_kept(const std::string& sink) const override {
        return sink == "fake" ? 3 : 0;
    }

    [[nodiscard]] std::vector<base::running_task> tasks() const override { return accepting.running(); }

    http::task<admin::letters_report> handle_dead_letters(admin::letters_request) override {
        co_return admin::letters_report{};
    }

    http::router routes() {
        http::router made;
        admin::add_health_routes(made, *this, detail);
        admin::add_status_routes(made, *this);
        admin::add_metrics_route(made, *this);
        admin::add_rejections_route(made, *this);
        return made;
    }

    // Asks from another thread while this one serves.
    template <class Question>
    auto ask_beside(Question question) {
        auto answer = std::async(std::launch::async, question, listener.local_endpoint());
        test::run_until(context, [&] { return answer.wait_for(0s) == std::future_status::ready; });
        return answer.get();
    }

    admin::health ask(std::string_view path) {
        return ask_beside([path](const auto& at) { return admin::ask_health(at, path, 60s); });
    }

    // All lines of it.
    std::string get(const std::string& path) {
        return ask_beside([&](const auto& at) { return admin::ask(at, {http::verb::get, path}, 60s).body; });
    }

    const admin::health_detail detail;
    stage now = stage::running;
    std::string_view failing_sink;
    std::string ails;
    admin::configuration_state in_force;
    std::optional<admin::shutdown_progress> ending;
    asio::io_context context{1};
    trackd::tracker tracker{context.get_executor(), {}, make_memory_backlog(), one_sink()};
    http::worker worker{context, {}, routes()};
    http::connection_limit limit{context.get_executor(), 10};
    http::listener listener{context, "127.0.0.1:0", {&worker}, limit};
    base::task_group<http::executor_type> accepting{context.get_executor(), base::log_failed_task};
};

struct strangers_fixture : admin_fixture {
    strangers_fixture() : admin_fixture{admin::health_detail::none} {}
};

} // namespace

TEST_CASE_METHOD(admin_fixture, "a running daemon is healthy and ready", "[admin]") {
    CHECK(ask("/healthz").good);
    const auto ready = ask("/readyz");
    CHECK(ready.good);
    CHECK(ready.says == "running");
}

TEST_CASE_METHOD(admin_fixture, "from lame duck on the daemon is healthy but not ready", "[admin]") {
    for (const auto later : {stage::lame_duck, stage::closing, stage::draining, stage::stopped}) {
        now = later;
        CHECK(ask("/healthz").good);
        const auto ready = ask("/readyz");
        CHECK_FALSE(ready.good);
        CHECK(ready.says == to_string(later));
    }
}

TEST_CASE_METHOD(admin_fixture, "a daemon in which something stands still is not healthy", "[admin]") {
    ails = "thread io-1 stands still";
    const auto health = ask("/healthz");
    CHECK_FALSE(health.good);
    CHECK(health.says == ails);
    ails = {};
    CHECK(ask("/healthz").good);
}

TEST_CASE_METHOD(strangers_fixture, "strangers are told that something is wrong, and not what", "[admin]") {
    ails = "delivery to main-db stands still at 4711";
    CHECK(ask("/healthz").says == "not alive");
    failing_sink = "main-db";
    const auto ready = ask("/readyz");
    CHECK_FALSE(ready.good);
    CHECK(ready.says == "not ready");
    now = stage::draining;
    CHECK(ask("/readyz").says == "draining");
}

TEST_CASE_METHOD(admin_fixture, "a required sink that fails makes the daemon not ready", "[admin]") {
    failing_sink = "main-db";
    const auto ready = ask("/readyz");
    CHECK_FALSE(ready.good);
    CHECK(ready.says == "sink main-db is failing");
    CHECK(ask("/healthz").good);
    failing_sink = {};
    CHECK(ask("/readyz").good);
}

TEST_CASE_METHOD(admin_fixture, "the status is JSON with the books of every sink", "[admin]") {
    const auto answer = ask("/status");
    REQUIRE(answer.good);
    const auto page = boost::json::parse(answer.says);
    CHECK(page.at("stage") == "running");
    CHECK(page.at("uptime_seconds") == 90);
    CHECK(page.at("tracker").at("ack") == "accepted");
    CHECK(page.at("connections").at("admin") == 1);
    CHECK(page.at("limits") == boost::json::object{{"http.max_body_bytes", 3}, {"json_depth", 0}});
    CHECK(page.at("rejected_calls") == boost::json::object{{"invalid_json", 2}, {"no_user", 0}});
    REQUIRE(page.at("sinks").as_array().size() == 1);
    CHECK(page.at("sinks").at(0).at("name") == "fake");
    CHECK(page.at("sinks").at(0).at("pending") == 0);
    for (const auto* figure : {"lag_events", "lag_bytes", "lag_seconds", "caught_up_in_seconds"})
        CHECK(page.at("sinks").at(0).at(figure) == 0);
    CHECK(page.at("sinks").at(0).at("failing") == false);
    CHECK(page.at("sinks").at(0).at("failing_seconds") == 0);
    CHECK(page.at("sinks").at(0).at("dead_letters_kept") == 3);
}

TEST_CASE_METHOD(admin_fixture, "the rejections are counted by status and reason", "[admin]") {
    const auto page = boost::json::parse(get("/debug/rejections"));
    CHECK(page.at("total") == 2);
    CHECK(
        page.at("by_reason") == boost::json::parse(R"([{"status":401,"reason":"unauthorized","count":2}])")
    );
    REQUIRE(page.at("latest").as_array().size() == 7);
    CHECK(page.at("latest").at(0) == boost::json::parse(R"({
            "time": "1970-01-01T00:00:01.000000Z", "status": 200, "reason": "no_user", "detail": "batch [1]", "key": "web",
            "method": "POST", "path": "/v1/batch", "calls": 3
        })"));
    const auto status = boost::json::parse(get("/status"));
    CHECK(status.at("rejections").at("latest").as_array().size() == 5);
    CHECK(status.at("http").at("rejected") == 2);
}

TEST_CASE_METHOD(admin_fixture, "the status says which configuration is in force", "[admin][reload]") {
    using std::chrono::microseconds;
    in_force = {3, wall_time{microseconds{1}}, {"log.level", "keys.web"}, {}};
    const auto page = boost::json::parse(ask("/status").says);
    CHECK(page.at("configuration") == boost::json::parse(R"({
            "generation": 3, "since": "1970-01-01T00:00:00.000001Z", "changed": ["log.level", "keys.web"],
            "refused": null
        })"));
    in_force.refused = {wall_time{microseconds{2}}, {"x: wrong"}};
    CHECK(
        boost::json::parse(ask("/status").says).at("configuration").at("refused") ==
        boost::json::parse(R"({"at": "1970-01-01T00:00:00.000002Z", "wrong": ["x: wrong"]})")
    );
}

TEST_CASE_METHOD(admin_fixture, "the connections say who they are and what they did", "[admin]") {
    const auto page = boost::json::parse(ask("/debug/connections").says);
    CHECK(page.at("open") == boost::json::object{{"admin", 1}});
    REQUIRE(page.at("connections").as_array().size() == 1);
    const auto& one = page.at("connections").at(0);
    CHECK(one.at("listener") == "admin");
    CHECK(one.at("peer").as_string().starts_with("127.0.0.1:"));
    CHECK(one.at("state") == "handling");
    CHECK(one.at("requests") == 0);
    CHECK(one.at("bytes_received").to_number<int>() > 0);
    CHECK(one.at("tls") == false);
}

TEST_CASE_METHOD(
    admin_fixture, "the status of a shutdown says why, and how long it may take yet", "[admin]"
) {
    CHECK_FALSE(boost::json::parse(ask("/status").says).as_object().contains("shutdown"));
    now = stage::closing;
    ending = admin::shutdown_progress{"SIGTERM", 1500ms, 8s};
    const auto page = boost::json::parse(ask("/status").says).at("shutdown");
    CHECK(page.at("reason") == "SIGTERM");
    CHECK(page.at("stage_seconds_left") == 1.5);
    CHECK(page.at("seconds_left") == 8.0);
}

TEST_CASE_METHOD(admin_fixture, "the tasks name what runs and what is connected", "[admin]") {
    const auto answer = ask("/debug/tasks");
    REQUIRE(answer.good);
    const auto page = boost::json::parse(answer.says);
    CHECK(page.at("counts").at("deliveries") == 1);
    CHECK(page.at("counts").at("connections") == 1);
    CHECK(page.at("connections").at(0).at("state") == "handling");
    CHECK(page.at("tasks").at(0).at("name") == "listener");
}

TEST_CASE_METHOD(admin_fixture, "the metrics are text with the figures of every part", "[admin]") {
    now = stage::draining;
    static_cast<void>(get("/metrics")); // counts for the second
    const auto page = "\n" + get("/metrics");
    for (const auto* line :
         {"# TYPE trackd_http_requests_total counter",
          R"(trackd_http_requests_total{route="/metrics",code="200"} 1)",
          R"(trackd_http_rejected_total{reason="malformed"} 0)", "trackd_http_connections 1",
          R"(trackd_requests_rejected_total{code="401",reason="unauthorized"} 2)",
          R"(trackd_limit_hits_total{limit="http.max_body_bytes"} 3)",
          R"(trackd_events_accepted_total{key="none",format="native"} 5)",
          R"(trackd_bytes_accepted_total{key="none",format="native"} 700)", "trackd_backlog_events 0",
          R"(trackd_sink_delivered_total{sink="fake"} 0)", R"(trackd_stage{stage="draining"} 1)",
          R"(trackd_stage{stage="running"} 0)", "# TYPE process_resident_memory_bytes gauge"}) {
        INFO(line << " in:" << page);
        CHECK(page.find("\n" + std::string{line}) != std::string::npos);
    }
    CHECK(page.find("trackd_journal_") == std::string::npos); // its backlog is memory
}

TEST_CASE("where nobody answers nothing is healthy, and the reason is said", "[admin]") {
    asio::io_context context;
    asio::ip::tcp::acceptor taken{context, {asio::ip::address_v4::loopback(), 0}};
    const auto at = taken.local_endpoint();
    taken.close();
    const auto answer = admin::ask_health(at, "/healthz", 60s);
    CHECK_FALSE(answer.good);
    CHECK_FALSE(answer.says.empty());
}
