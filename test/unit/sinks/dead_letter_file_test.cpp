#include "helpers.hpp"
#include "lines.hpp"
#include "sinks/dead_letter_file.hpp"

using namespace trackd;
using sinks::dead_letter;
using sinks::dead_letter_file;

namespace {

struct letters_fixture {
    test::temporary_directory directory;
    std::filesystem::path path = directory.path() / "pg.jsonl";

    [[nodiscard]] dead_letter_file open(std::uint64_t max_bytes = 1'000'000) const {
        return dead_letter_file{path, max_bytes, [] { return test::noon; }};
    }

    static std::vector<std::string> ids(const dead_letter_file& in) {
        std::vector<std::string> all;
        in.for_each([&](const dead_letter& letter) {
            all.emplace_back(letter.view().id);
            return true;
        });
        return all;
    }

    static void keep(dead_letter_file& in, std::initializer_list<std::string_view> ids) {
        for (const auto id : ids) {
            const auto event = test::make_event(id);
            in.keep({&event, 1}, {"no such column", 3});
        }
    }
};

} // namespace

TEST_CASE_METHOD(letters_fixture, "a dead letter is a line that says what it is and why", "[dead]") {
    auto file = open();
    auto event = test::make_event("1", R"({"n":1})");
    file.keep({&event, 1}, {"column \"n\" is\nmissing", 14});
    const auto lines = test::lines_of(test::read_file(path));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with(
        R"({"reason":"column \"n\" is\nmissing","time":"2026-11-21T12:00:00.000250Z","attempts":14,)"
        R"("event":{"specversion":"1.0","id":"1","source":"shop","type":"order",)"
    ));
    CHECK(file.count() == 1);
    CHECK(file.bytes() == lines[0].size() + 1);
}

TEST_CASE_METHOD(letters_fixture, "an event comes back byte for byte", "[dead]") {
    const std::string bytes{"\0\xff\"\n,\"event\":{,\"encoded\":\"", 26};
    auto file = open();
    for (const auto kind : {data_kind::none, data_kind::json, data_kind::text, data_kind::binary}) {
        auto event = test::make_event("1", bytes, kind);
        if (kind == data_kind::json) event.data = R"({"a" :  1})";
        if (kind == data_kind::none) event.data = {};
        event.subject = "s\"ubject";
        event.datacontenttype = "text/x";
        event.extensions = R"({"encoded":"x","event":"{"})";
        file.keep({&event, 1}, {R"(,"event":{"})", 1});
        std::vector<dead_letter> last;
        open().for_each([&](const dead_letter& letter) {
            last = {letter};
            return true;
        });
        REQUIRE(last.size() == 1);
        const auto back = last[0].view();
        CHECK(back.data == event.data);
        CHECK(back.kind == kind);
        CHECK(back.subject == event.subject);
        CHECK(back.extensions == event.extensions);
        CHECK(back.datacontenttype == event.datacontenttype);
        CHECK(back.time == event.time);
        CHECK(back.received_at == event.received_at);
        CHECK(last[0].reason == R"(,"event":{"})");
        CHECK(last[0].time == test::noon_text);
    }
}

TEST_CASE_METHOD(letters_fixture, "dead letters survive the process", "[dead]") {
    {
        auto file = open();
        keep(file, {"1", "2"});
    }
    auto file = open();
    CHECK(file.count() == 2);
    keep(file, {"3"});
    CHECK(ids(file) == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE_METHOD(letters_fixture, "without dead letters there is no file", "[dead]") {
    auto file = open();
    CHECK(file.count() == 0);
    CHECK(ids(file).empty());
    CHECK(file.remove_if([](const auto&) { return true; }) == 0);
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE_METHOD(
    letters_fixture, "at the bound nothing is kept, and the error says what makes room", "[dead]"
) {
    {
        auto unbounded = open();
        keep(unbounded, {"1", "2"});
    }
    const auto size = std::filesystem::file_size(path);
    auto file = open(size + 10);
    const auto event = test::make_event("3");
    CHECK_THROWS_WITH(
        file.keep({&event, 1}, {"x", 1}),
        "the dead letters in " + path.string() + " have " + std::to_string(size) + " bytes and may have " +
            std::to_string(size + 10) +
            " (dead_letters.max_bytes); `trackd dead-letters retry` or `drop` makes room"
    );
    CHECK(ids(file) == std::vector<std::string>{"1", "2"});
    CHECK(file.remove_if([](const dead_letter& letter) { return letter.view().id == "1"; }) == 1);
    keep(file, {"3"});
    CHECK(ids(file) == std::vector<std::string>{"2", "3"});
}

TEST_CASE_METHOD(letters_fixture, "those that are taken away are gone, also after a restart", "[dead]") {
    auto file = open();
    keep(file, {"1", "2", "3"});
    CHECK(file.remove_if([](const dead_letter& letter) { return letter.view().id != "2"; }) == 2);
    CHECK(file.count() == 1);
    CHECK(ids(open()) == std::vector<std::string>{"2"});
    CHECK(std::distance(std::filesystem::directory_iterator{directory.path()}, {}) == 1);
}

TEST_CASE_METHOD(letters_fixture, "where none is to be taken away nothing is written", "[dead]") {
    auto file = open();
    keep(file, {"1", "2", "3"});
    const test::file_size_limit limit{1};
    CHECK(file.remove_if([](const dead_letter& letter) { return letter.view().id == "4"; }) == 0);
    CHECK(ids(file) == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE_METHOD(letters_fixture, "each letter is asked about once when some are taken away", "[dead]") {
    auto file = open();
    keep(file, {"1", "2", "3"});
    std::vector<std::string> asked;
    CHECK(file.remove_if([&](const dead_letter& letter) {
        asked.emplace_back(letter.view().id);
        return asked.size() > 1;
    }) == 2);
    CHECK(asked == std::vector<std::string>{"1", "2", "3"});
    CHECK(file.count() == 1);
    CHECK(file.bytes() == std::filesystem::file_size(path));
    keep(file, {"4"});
    CHECK(ids(open()) == std::vector<std::string>{"1", "4"});
}

TEST_CASE_METHOD(letters_fixture, "a line that a crash has cut is cut off, and said", "[dead]") {
    {
        auto file = open();
        keep(file, {"1", "2"});
    }
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 10);
    auto file = open();
    CHECK(ids(file) == std::vector<std::string>{"1"});
    keep(file, {"3"});
    CHECK(ids(file) == std::vector<std::string>{"1", "3"});
}

TEST_CASE_METHOD(letters_fixture, "a line that is none of ours is told by its number", "[dead]") {
    {
        auto file = open();
        keep(file, {"1"});
    }
    const auto sound = test::lines_of(test::read_file(path)).front();
    for (const std::string& line :
         {std::string{"{}"},
          std::string{R"({"reason":"","time":"","attempts":1,"event":{},"encoded":"AAAA"})"},
          sound.substr(0, sound.size() - 5) + "!\"}",
          R"({"reason":1)" + sound.substr(sound.find(",\"time"))}) {
        CAPTURE(line);
        std::ofstream{path} << sound << '\n' << line << '\n';
        auto file = open();
        CHECK_THROWS_WITH(
            ids(file), path.string() + " line 2: is no dead letter; expected "
                                       "{\"reason\":…,\"time\":…,\"attempts\":…,\"event\":…,\"encoded\":…}"
        );
        CHECK(test::lines_of(test::read_file(path)).size() == 2);
    }
}

TEST_CASE_METHOD(
    letters_fixture, "lines that are none of ours are gone over, and told at the end", "[dead]"
) {
    {
        auto file = open();
        keep(file, {"1"});
        std::ofstream{path, std::ios::app} << "nonsense\n";
    }
    auto file = open();
    keep(file, {"2"});
    std::ofstream{path, std::ios::app} << "more\n";
    keep(file, {"3"});
    std::vector<std::string> all;
    CHECK_THROWS_WITH(
        file.for_each([&](const dead_letter& letter) {
            all.emplace_back(letter.view().id);
            return true;
        }),
        path.string() + " line 2: is no dead letter, nor are 1 of those behind it; expected "
                        "{\"reason\":…,\"time\":…,\"attempts\":…,\"event\":…,\"encoded\":…}"
    );
    CHECK(all == std::vector<std::string>{"1", "2", "3"});
    file.for_each([](const dead_letter&) { return false; }); // who does not come to the end is not told
    CHECK(file.remove_all() == 5);
    CHECK(test::read_file(path).empty());
    CHECK(file.count() == 0);
    CHECK(file.remove_all() == 0);
    keep(file, {"4"});
    CHECK(ids(open()) == std::vector<std::string>{"4"});
}

TEST_CASE_METHOD(
    letters_fixture, "when taking away fails there is nothing left over, and all letters stay", "[dead]"
) {
    auto file = open();
    keep(file, {"1", "2", "3"});
    {
        const test::file_size_limit limit{100};
        CHECK_THROWS(file.remove_if([](const dead_letter& letter) { return letter.view().id == "1"; }));
    }
    CHECK(ids(file) == std::vector<std::string>{"1", "2", "3"});
    CHECK(std::distance(std::filesystem::directory_iterator{directory.path()}, {}) == 1);
}

TEST_CASE_METHOD(
    letters_fixture, "a line that is none of ours stays where letters are taken away", "[dead]"
) {
    {
        auto file = open();
        keep(file, {"1", "2"});
    }
    std::ofstream{path, std::ios::app} << "nonsense\n";
    auto file = open();
    CHECK(file.remove_if([](const auto&) { return true; }) == 2);
    CHECK(test::read_file(path) == "nonsense\n");
}

TEST_CASE_METHOD(letters_fixture, "a disk that is full keeps all of a letter or nothing", "[dead]") {
    auto file = open();
    keep(file, {"1"});
    {
        const test::file_size_limit limit{file.bytes() + 20};
        const auto event = test::make_event("2");
        CHECK_THROWS(file.keep({&event, 1}, {"x", 1}));
    }
    keep(file, {"3"});
    CHECK(ids(open()) == std::vector<std::string>{"1", "3"});
}
