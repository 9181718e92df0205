// Dead letters that are delivered in portions, while new ones come: it ends, and the report says what became of which ids.
#include "service/dead_letter_commands.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/fake_sink.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>

using namespace trackd;

namespace {

struct portions {
    portions() { keep({"1", "2", "3", "4", "5"}); }

    void keep(std::initializer_list<std::string_view> ids) {
        for (const auto id : ids) {
            const auto event = test::make_event(id);
            file.keep({&event, 1}, {"no such column", 1});
        }
    }

    test::temporary_directory directory;
    sinks::dead_letter_file file{directory.path() / "a.jsonl", 1'000'000};
    std::shared_ptr<test::fake_sink_script> script = std::make_shared<test::fake_sink_script>();
    test::fake_sink sink{script};
};

using ids = std::set<std::string, std::less<>>;

} // namespace

TEST_CASE_METHOD(portions, "a retry ends with the letters that were there when it began", "[dead]") {
    script->refuse({"2", "new"});
    const admin::letter_choice all{.all = true, .ids = {}};
    auto report = service::begin_report(all);
    auto next = service::first_portion(file);
    next.most = 1;
    int rounds = 0;
    while (service::redeliver_portion(file, sink, all, next, report, {})) {
        REQUIRE(++rounds < 20);
        keep({"new"});
    }
    CHECK(report.gone == 4);
    CHECK(report.refused == 1);
    CHECK(report.error.empty());
    CHECK(script->ids() == std::vector<std::string>{"1", "3", "4", "5"});
}

TEST_CASE_METHOD(portions, "ids that no letter has are missing, however many have the others", "[dead]") {
    keep({"5"});
    const admin::letter_choice some{.all = false, .ids = {"1", "5", "5", "9"}};
    SECTION("delivered") {
        auto report = service::begin_report(some);
        auto next = service::first_portion(file);
        next.most = 1;
        while (service::redeliver_portion(file, sink, some, next, report, {})) {
        }
        CHECK(report.gone == 3);
        CHECK(report.missing == ids{"9"});
    }
    SECTION("dropped") {
        const auto report = service::drop_letters(file, some);
        CHECK(report.gone == 3);
        CHECK(report.missing == ids{"9"});
    }
}

TEST_CASE_METHOD(portions, "who drops all drops lines that are no letters, too", "[dead]") {
    std::ofstream{file.path(), std::ios::app} << "nonsense\n";
    CHECK(service::drop_letters(file, {.all = false, .ids = {"1"}}).gone == 1);
    CHECK(service::drop_letters(file, {.all = true, .ids = {}}).gone == 5);
    CHECK(std::filesystem::file_size(file.path()) == 0);
}
