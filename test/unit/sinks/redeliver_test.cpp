#include "helpers.hpp"
#include "sinks/redeliver.hpp"
#include "support/fake_sink.hpp"
#include "support/moody_sink.hpp"

#include <random>

using namespace trackd;
using sinks::dead_letter;
using sinks::dead_letter_file;

namespace {

struct redeliver_fixture {
    redeliver_fixture() {
        for (int i = 1; i <= 10; ++i) {
            const auto id = std::to_string(i);
            const auto event = test::make_event(id);
            file.keep({&event, 1}, {"no such column", 1});
        }
    }

    sinks::redelivery redeliver(sinks::letter_portion portion = {}) {
        return sinks::redeliver(file, sink, [](const dead_letter&) { return true; }, portion, {});
    }

    std::vector<std::string> left() {
        std::vector<std::string> ids;
        file.for_each([&](const dead_letter& letter) {
            ids.emplace_back(letter.view().id);
            return true;
        });
        return ids;
    }

    test::temporary_directory directory;
    dead_letter_file file{directory.path() / "a.jsonl", 1'000'000};
    std::shared_ptr<test::fake_sink_script> script = std::make_shared<test::fake_sink_script>();
    test::fake_sink sink{script};
};

using strings = std::vector<std::string>;

} // namespace

TEST_CASE_METHOD(redeliver_fixture, "all letters that the sink takes now are delivered, and gone", "[dead]") {
    const auto report = redeliver();
    CHECK(report.delivered == 10);
    CHECK(report.finished);
    CHECK(report.error.empty());
    CHECK(left().empty());
    CHECK(script->ids().size() == 10);
    CHECK(script->attempts() == 1);
}

TEST_CASE_METHOD(redeliver_fixture, "letters that are refused again stay, and the others go", "[dead]") {
    script->refuse({"3", "8"});
    const auto report = redeliver();
    CHECK(report.delivered == 8);
    CHECK(report.refused == 2);
    CHECK(report.finished);
    CHECK(left() == strings{"3", "8"});
}

TEST_CASE_METHOD(
    redeliver_fixture, "a letter that fails with an error without a name holds up no other one", "[dead]"
) {
    script->fail_on({"3", "8"}, "malformed JSON");
    const auto report = redeliver();
    CHECK(report.delivered == 8);
    CHECK(report.refused == 2);
    CHECK(report.error.empty());
    CHECK(left() == strings{"3", "8"});
}

TEST_CASE_METHOD(redeliver_fixture, "portions go on behind what stays", "[dead]") {
    script->refuse({"1", "6"});
    auto report = redeliver({0, 4});
    CHECK(report.delivered == 3);
    CHECK_FALSE(report.finished);
    CHECK(report.staying == 1);
    report = redeliver({report.staying, 4});
    CHECK(report.delivered == 3);
    CHECK(report.staying == 2);
    CHECK_FALSE(report.finished);
    report = redeliver({report.staying, 4});
    CHECK(report.delivered == 2);
    CHECK(report.finished);
    CHECK(left() == strings{"1", "6"});
}

TEST_CASE_METHOD(redeliver_fixture, "a sink that does not work ends it, and the letters stay", "[dead]") {
    script->fail_with("down");
    const auto report = redeliver();
    CHECK(report.error == "down");
    CHECK_FALSE(report.finished);
    CHECK(left().size() == 10);
}

TEST_CASE_METHOD(redeliver_fixture, "whoever is to stop delivers no more", "[dead]") {
    std::stop_source stop;
    stop.request_stop();
    const auto report =
        sinks::redeliver(file, sink, [](const dead_letter&) { return true; }, {}, stop.get_token());
    CHECK(report.delivered == 0);
    CHECK(report.error == "the daemon stops");
    CHECK(left().size() == 10);
}

TEST_CASE_METHOD(
    redeliver_fixture, "a line that is none is said at the end, and holds up no letter", "[dead]"
) {
    std::ofstream{file.path(), std::ios::app} << "nonsense\n";
    const auto event = test::make_event("11");
    file.keep({&event, 1}, {"no such column", 1});
    const auto report = redeliver({0, 5});
    CHECK(report.delivered == 5);
    CHECK(report.error.empty());
    const auto rest = redeliver();
    CHECK(rest.delivered == 6);
    CHECK_FALSE(rest.finished);
    CHECK(rest.error.find("line 6: is no dead letter") != std::string::npos);
    CHECK(test::read_file(file.path()) == "nonsense\n");
}

TEST_CASE_METHOD(redeliver_fixture, "letters behind the end of a portion came later, and stay", "[dead]") {
    std::ofstream{file.path(), std::ios::app} << "nonsense\n";
    auto report = redeliver({0, 4, 6});
    CHECK(report.delivered == 4);
    CHECK_FALSE(report.finished);
    report = redeliver({0, 4, 2});
    CHECK(report.delivered == 2);
    CHECK(report.error.find("line 7: is no dead letter") != std::string::npos);
    CHECK_THROWS(left());
    CHECK(file.count() == 5);
}

TEST_CASE_METHOD(
    redeliver_fixture, "whoever is stopped after a write leaves all letters, and says so", "[dead]"
) {
    struct stopped_sink final : sink {
        explicit stopped_sink(std::stop_source source) : stop{std::move(source)} {}

        write_result write(std::span<const event_view> events, std::stop_token) override {
            stop.request_stop();
            return {.confirmed = events.size(), .duplicates = 0};
        }

        std::stop_source stop;
    };

    std::stop_source stop;
    stopped_sink stopping{stop};
    const auto report =
        sinks::redeliver(file, stopping, [](const dead_letter&) { return true; }, {}, stop.get_token());
    CHECK(report.delivered == 0);
    CHECK_FALSE(report.finished);
    CHECK(report.error == "the daemon stops; 10 that were delivered stay");
    CHECK(left().size() == 10);
}

TEST_CASE_METHOD(redeliver_fixture, "where the file cannot be written anew all letters stay", "[dead]") {
    script->refuse({"3"});
    const test::file_size_limit full{10};
    const auto report = redeliver();
    CHECK(report.delivered == 0);
    CHECK(test::contains(report.error, "File too large; 9 that were delivered stay"));
    CHECK(left().size() == 10);
}

TEST_CASE_METHOD(redeliver_fixture, "whatever a sink does, a letter is delivered once or stays", "[dead]") {
    const auto seed = GENERATE(range(1U, 41U));
    CAPTURE(seed);
    std::mt19937 random{seed};
    const auto shelf = std::make_shared<test::moody_sink::shelf>();
    test::moody_sink moody{shelf, {"2", "3", "7", "10"}, seed};
    std::uint64_t delivered = 0;
    sinks::letter_portion portion;
    for (int round = 0; left() != strings{"2", "3", "5", "7", "10"}; ++round) {
        REQUIRE(round < 1'000);
        portion.most = 1 + random() % 12;
        const auto report = sinks::redeliver(
            file, moody, [](const dead_letter& letter) { return letter.view().id != "5"; }, portion, {}
        );
        delivered += report.delivered;
        portion.from = report.error.empty() && !report.finished ? report.staying : 0;
        auto all = shelf->ids();
        CHECK(all.size() == delivered);
        std::ranges::copy(left(), std::back_inserter(all));
        std::ranges::sort(all, {}, [](const auto& id) { return std::stoi(id); });
        CHECK(all == strings{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"});
    }
}
