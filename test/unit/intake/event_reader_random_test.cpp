// Bodies made at random: what goes in as JSON comes out byte for byte, and nothing comes of half a body.
#include "intake/json_fault.hpp"
#include "intake/text.hpp"
#include "reading.hpp"

#include <algorithm>
#include <random>

using namespace reading;
using trackd::intake::event_reader;

namespace {

/// Makes valid JSON of all kinds, with all the white space and escapes that are allowed.
class json_maker {
public:
    explicit json_maker(unsigned seed) : random_{seed} {}

    std::size_t below(std::size_t end) {
        return std::uniform_int_distribution<std::size_t>{0, end - 1}(random_);
    }

    std::string value(int depth = 0) {
        switch (below(depth < 5 ? 8 : 5)) {
        case 0:
            return pick({"0", "-0", "12", "-3.25e-7", "1E400", "18446744073709551616", "9007199254740993"});
        case 1: return pick({"true", "false", "null"});
        case 2:
        case 3:
        case 4: return string();
        case 5: return array(depth + 1);
        default: return object(depth + 1);
        }
    }

    std::string object(int depth = 1) {
        std::string text = "{" + blank();
        const auto members = below(6);
        for (std::size_t i = 0; i < members; ++i) {
            // Never a name that means something to the intake.
            text += (i == 0 ? "" : "," + blank()) + "\"_" + string().substr(1) + blank() + ':' + blank();
            text += value(depth) + blank();
        }
        return text + '}';
    }

    std::string blank() { return pick({"", "", "", " ", "\t", "  ", " \t "}); }

private:
    std::string array(int depth) {
        std::string text = "[" + blank();
        const auto elements = below(5);
        for (std::size_t i = 0; i < elements; ++i)
            text += (i == 0 ? "" : "," + blank()) + value(depth) + blank();
        return text + ']';
    }

    std::string string() {
        std::string text = "\"";
        for (auto pieces = below(6); pieces > 0; --pieces)
            text += pick({"a",    "id",   "}",    "]",    "{",       "[", ",", ":",
                          "\\\"", "\\\\", "\\/",  "\\n",  "\\u00e9", "é", "€", "\\ud83d\\ude00",
                          "😀",   " ",    "\x7f", "data", "0"});
        return text + '"';
    }

    std::string pick(std::initializer_list<const char*> choice) {
        return *(choice.begin() + below(choice.size()));
    }

    std::mt19937 random_;
};

/// The first object of a line: the shortest beginning that is one, as brackets are balanced only there.
std::string_view first_object(std::string_view line) {
    for (std::size_t end = 1; line.front() == '{' && end <= line.size(); ++end)
        if (line[end - 1] == '}' && !trackd::intake::find_json_fault(line.substr(0, end)))
            return line.substr(0, end);
    return {};
}

/// What NDJSON is, as plainly as it can be said: objects, of which none goes on in the next line. Empty if anything else
/// is in a line.
std::vector<std::string> good_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size() - 1);
        const auto line = trackd::intake::trimmed(text.substr(0, end + 1));
        text.remove_prefix(end + 1);
        for (auto rest = line; !rest.empty(); rest = trackd::intake::trimmed(rest)) {
            const auto object = first_object(rest);
            if (object.empty()) return {};
            lines.emplace_back(object);
            rest.remove_prefix(object.size());
        }
    }
    return lines;
}

} // namespace

TEST_CASE("random plain objects are kept byte for byte", "[intake][random]") {
    json_maker make{1};
    event_reader reader{{}};
    for (int i = 0; i < 5000; ++i) {
        const auto object = make.object();
        const auto result = read(reader, make.blank() + object + make.blank());
        INFO(object);
        REQUIRE(result.events.size() == 1);
        REQUIRE(result.events[0].data == object);
    }
}

TEST_CASE("random data is kept byte for byte, wherever it stands", "[intake][random]") {
    json_maker make{2};
    event_reader reader{{}};
    for (int i = 0; i < 5000; ++i) {
        const auto data = make.value();
        const auto member = "\"data\"" + make.blank() + ':' + make.blank() + data + make.blank();
        const auto before = '{' + make.blank() + member + ",\"id\" : \"x\"}";
        const auto behind = "{\"id\":\"x\"," + make.blank() + member + '}';
        const auto result = read(reader, '[' + before + ',' + make.blank() + behind + ']');
        INFO(data);
        REQUIRE(result.events.size() == 2);
        REQUIRE(result.events[0].data == data);
        REQUIRE(result.events[1].data == data);
        REQUIRE(result.events[1].id == "x");
    }
}

TEST_CASE("random batches are the same as an array and as lines", "[intake][random]") {
    json_maker make{3};
    event_reader reader{{}};
    for (int i = 0; i < 1000; ++i) {
        std::vector<std::string> objects(make.below(20) + 1);
        std::string array = "[";
        std::string lines;
        for (auto& object : objects) {
            object = make.object();
            array += make.blank() + (array.size() > 1 ? "," : "") + make.blank() + object;
            lines += make.blank() + object + make.blank() + (make.below(2) == 0 ? "\r\n" : "\n\n");
        }
        const auto as_array = read(reader, array + ']');
        const auto as_lines = read(reader, lines, {.content_type = "application/x-ndjson"});
        REQUIRE(as_array.events.size() == objects.size());
        REQUIRE(as_lines.events.size() == objects.size());
        for (std::size_t k = 0; k < objects.size(); ++k) {
            REQUIRE(as_array.events[k].data == objects[k]);
            REQUIRE(as_lines.events[k].data == objects[k]);
        }
    }
}

TEST_CASE("lines are taken if each is an object, however the body was changed", "[intake][random]") {
    static constexpr std::string_view likely = "\n\n\n\r{}[],:\" \\1x";
    json_maker make{6};
    event_reader reader{{}};
    int taken = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string lines;
        for (auto count = make.below(4) + 1; count > 0; --count)
            lines += make.object() + make.blank() + '\n';
        for (auto changes = make.below(3); changes > 0; --changes) {
            const auto at = make.below(lines.size());
            if (make.below(2) == 0)
                lines.insert(at, 1, likely[make.below(likely.size())]);
            else
                lines.erase(at, 1);
        }
        const auto expected = good_lines(lines);
        const auto result = read(reader, lines, {.content_type = "application/x-ndjson"}, lines.front());
        INFO(lines);
        REQUIRE(result.refused.has_value() == expected.empty());
        REQUIRE(result.events.size() == expected.size());
        for (std::size_t k = 0; k < expected.size(); ++k)
            REQUIRE(result.events[k].data == expected[k]);
        taken += result.refused ? 0 : 1;
    }
    CHECK(taken > 5000);
    CHECK(taken < 19'000);
}

TEST_CASE("objects one behind the other are taken, however the body was changed", "[intake][random]") {
    static constexpr std::string_view likely = "{}{}[],:\" \\1x";
    json_maker make{7};
    event_reader reader{{}};
    int taken = 0;
    for (int i = 0; i < 10'000; ++i) {
        std::string body;
        for (auto count = make.below(4) + 2; count > 0; --count)
            body += make.object() + make.blank();
        const auto at = make.below(body.size());
        if (make.below(2) == 0) body.insert(at, 1, likely[make.below(likely.size())]);
        std::string on_one_line = body;
        std::ranges::replace(on_one_line, '\n', ' ');
        const auto expected = good_lines(on_one_line);
        const auto result = read(reader, body, {.content_type = "application/json"}, body.front());
        INFO(body);
        REQUIRE(result.refused.has_value() == expected.empty());
        REQUIRE(result.events.size() == expected.size());
        taken += result.refused ? 0 : 1;
    }
    CHECK(taken > 2500);
    CHECK(taken < 9'000);
}

TEST_CASE("every truncation of a body is refused, and nothing of it is kept", "[intake][random]") {
    json_maker make{4};
    event_reader reader{{}};
    for (int i = 0; i < 40; ++i) {
        const auto whole = i % 2 == 0 ? make.object() : '[' + make.object() + ',' + make.object() + ']';
        REQUIRE_FALSE(read(reader, whole).refused);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            // What is cut off still lies behind the end: nobody may look at it.
            const body sent{whole};
            trackd::batch batch;
            const auto refused = reader.read({arrival, {}, {}, {}}, sent.text().substr(0, size), batch);
            INFO(whole.substr(0, size));
            REQUIRE(refused);
            REQUIRE(batch.empty());
        }
    }
}

TEST_CASE("random bytes are refused or taken, and never break anything", "[intake][random]") {
    std::mt19937 random{5};
    std::uniform_int_distribution<int> byte{0, 255};
    std::uniform_int_distribution<std::size_t> length{1, 200};
    event_reader reader{{}};
    for (int i = 0; i < 20'000; ++i) {
        std::string text(length(random), '\0');
        for (auto& c : text)
            c = static_cast<char>(byte(random));
        if (i % 3 == 0) text.front() = '{';
        for (const auto* type : {"application/json", "application/x-ndjson", "", "image/png"}) {
            const auto result = read(reader, text, {.content_type = type});
            REQUIRE(result.refused.has_value() == result.events.empty());
        }
    }
}
