#include "intake/event_reader.hpp"
#include "reading.hpp"

using namespace reading;
using trackd::intake::event_reader;

namespace {

const request ndjson{.content_type = "application/x-ndjson"};

std::string many(std::size_t count, std::string_view one, std::string_view separator) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text.append(i == 0 ? "" : separator).append(one);
    return text;
}

} // namespace

TEST_CASE("an array brings an event for each of its objects", "[intake][batch]") {
    const auto result =
        read(R"( [ {"id":"a","data":1} , {"x": 2 },{"specversion":"1.0","id":"c","source":"s","type":"t"}])");
    REQUIRE(result.events.size() == 3);
    CHECK(result.events[0].id == "a");
    CHECK(result.events[1].data == R"({"x": 2 })");
    CHECK(result.events[2].source == "s");
}

TEST_CASE("a bad member of an array is named by its index, and nothing is kept", "[intake][batch]") {
    const auto why = refused(R"([{"data":1},{"data":2},{"data":3},{"data":4,"id":""}])");
    CHECK(why.kind == refusal_kind::invalid_event);
    CHECK(why.detail.starts_with("event [3]: \"id\" is empty"));
    CHECK(says(refused(R"([{"data":1},7])"), "event [1] is a number; expected an object"));
    CHECK(says(refused(R"([[{"data":1}]])"), "event [0] is an array; expected an object"));
    CHECK(says(refused(R"([null])"), "event [0] is null; expected an object"));
}

TEST_CASE("a refused body leaves what others had put into the batch", "[intake][batch]") {
    event_reader reader{{}};
    trackd::batch batch;
    const body good{R"({"id":"kept","data":1})"};
    const body bad{R"([{"data":1},{"data":2,"id":""}])"};
    REQUIRE_FALSE(reader.read({arrival, {}, {}, {}}, good.text(), batch));
    REQUIRE(reader.read({arrival, {}, {}, {}}, bad.text(), batch));
    REQUIRE(batch.events() == 1);
    CHECK((*batch.begin()).id == "kept");
}

TEST_CASE("NDJSON brings an event for each line that is not blank", "[intake][batch]") {
    const auto result =
        read("{\"id\":\"a\",\"data\":1}\r\n\n  \t\r\n {\"id\":\"b\",\"data\": [2] } \n{\"x\":3}", ndjson);
    REQUIRE(result.events.size() == 3);
    CHECK(result.events[0].id == "a");
    CHECK(result.events[1].data == "[2]");
    CHECK(result.events[2].data == "{\"x\":3}");
    CHECK(read("{}\n", ndjson).events.size() == 1);
    CHECK(read("{}\r\n", ndjson).events.size() == 1);
}

TEST_CASE("a bad line of NDJSON is named by its number, from 1 and with the blank ones", "[intake][batch]") {
    auto why = refused("{}\n\n{\"a\":}\n{}", ndjson);
    CHECK(why.kind == refusal_kind::invalid_json);
    CHECK(why.detail == "line 3: invalid JSON at byte 5: found '}', expected a JSON value");
    why = refused("{}\n{\"data\":1,\"id\":\"\"}\n", ndjson);
    CHECK(why.kind == refusal_kind::invalid_event);
    CHECK(why.detail.starts_with("line 2: \"id\" is empty"));
    CHECK(says(refused("{}\n[{}]\n", ndjson), "line 2: the value is an array; expected an object"));
}

TEST_CASE("an object of NDJSON cannot go on in the next line", "[intake][batch]") {
    CHECK(says(refused("{\"a\":\n1}", ndjson), "line 1: invalid JSON at byte 5: the text ends"));
    CHECK(says(refused("{}\n,{}", ndjson), "line 2: invalid JSON at byte 0: found ','"));
    CHECK(says(refused("{},{}", ndjson), "line 1: invalid JSON at byte 2: found ','"));
}

TEST_CASE("lines are known by all names that programs have for them", "[intake][content_type]") {
    for (const std::string name :
         {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl",
          "application/jsonlines", "application/x-jsonlines", "application/json-lines",
          "application/x-json-lines", "application/x-ldjson", "text/x-ndjson", "text/ndjson", "text/jsonl",
          "Application/JSONL; charset=utf-8"}) {
        INFO(name);
        const auto result = read("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", {.content_type = name});
        REQUIRE(result.events.size() == 3);
        CHECK(result.events[2].data == "{\"n\":3}");
    }
}

TEST_CASE("objects one behind the other are an event each", "[intake][batch]") {
    for (const auto* type :
         {"application/json", "", "text/plain", "application/x-www-form-urlencoded", "application/x-ndjson"
         }) {
        for (const auto* blanks : {"", " ", "\n", "\r\n\n"}) {
            const request about{.content_type = type, .path_type = "p", .idempotency_key = "key"};
            const auto sent = many(3, R"({"a":"}{\"\u00e9"})", blanks) + blanks;
            INFO(type << ": " << sent);
            const auto result = read(sent, about);
            REQUIRE(result.events.size() == 3);
            for (std::size_t i = 0; i < 3; ++i) {
                CHECK(result.events[i].data == R"({"a":"}{\"\u00e9"})");
                CHECK(result.events[i].type == "p");
                CHECK(result.events[i].id == "key-" + std::to_string(i));
            }
        }
    }
    CHECK(read("\xef\xbb\xbf{\"a\":1}{\"a\":1e400}{\n}").events.at(1).data == "{\"a\":1e400}");
    CHECK(
        read(R"({"id":"a","data":1}{"specversion":"1.0","id":"b","source":"s","type":"t"})")
            .events[1]
            .source == "s"
    );
}

TEST_CASE("one bad object among many is named, and nothing is kept", "[intake][batch]") {
    auto why = refused("{\"a\":1}\n{\"a\":}\n{}");
    CHECK(why.kind == refusal_kind::invalid_json);
    CHECK(why.detail == "event [1]: invalid JSON at byte 13: found '}', expected a JSON value");
    CHECK(says(refused("\xef\xbb\xbf{}{}{\"a\":}"), "event [2]: invalid JSON at byte 12"));
    CHECK(says(refused("{}{\"a\":1"), "event [1]: invalid JSON at byte 8: the text ends"));
    CHECK(says(refused("{}{}[1]"), "event [2]: the value is an array; expected an object"));
    CHECK(says(refused(R"({}{"data":1,"id":""})"), "event [1]: \"id\" is empty"));
    CHECK(says(refused("{}{}[1]", ndjson), "line 1: the value is an array; expected an object"));
}

TEST_CASE("what follows a JSON text is refused with the ways to send many", "[intake][batch]") {
    for (const auto* text : {"{},{}", "{}x", "[1]\n[2]", "[{}]{}", "{\"n\":1}\n[2]\n", "{}}"}) {
        INFO(text);
        const auto why = refused(text, {.content_type = "application/x-www-form-urlencoded"});
        CHECK(why.kind == refusal_kind::invalid_json);
        CHECK(says(why, "expected the end of the text"));
        CHECK(says(why, "application/x-ndjson"));
    }
    const std::string event = R"({"specversion":"1.0","id":"b","source":"s","type":"t"})";
    CHECK(
        says(refused(event + event, {.content_type = "application/cloudevents+json"}), "the end of the text")
    );
}

TEST_CASE("a sequence of objects may have as many events as the limit", "[intake][batch]") {
    event_reader reader{{.max_batch_events = 3}};
    CHECK(read(reader, many(3, "{}", "")).events.size() == 3);
    CHECK(read(reader, many(3, "{\"a\":1e999}", "")).events.size() == 3);
    for (const auto& text : {many(4, "{}", ""), many(100'000, "{}", "")})
        for (const auto& about : {request{}, ndjson}) {
            const auto result = read(reader, text, about);
            REQUIRE(result.refused);
            CHECK(result.refused->kind == refusal_kind::batch_too_large);
            CHECK(result.refused->detail.starts_with("the batch has more than 3 events"));
            CHECK(result.events.empty());
        }
}

TEST_CASE("MessagePack is refused with what to configure", "[intake][content_type]") {
    for (const auto* type :
         {"application/msgpack", "application/x-msgpack", "Application/vnd.msgpack; v=1"}) {
        const auto why = refused("\x92\x01\x80", {.content_type = type});
        CHECK(why.kind == refusal_kind::unsupported_media_type);
        CHECK(says(why, "MessagePack is not read"));
        CHECK(says(why, "format json"));
        CHECK(says(why, "application/x-ndjson"));
    }
}

TEST_CASE("lines are the same however many come, and however long they are", "[intake][batch]") {
    std::string body;
    std::vector<std::string> data;
    for (std::size_t number = 0; number < 5000;
         ++number) { // some longer than what is read in one go, and with escapes
        const auto size = number % 1000 == 500 ? std::size_t{100'000} : number % 97;
        data.push_back("\"" + std::to_string(number) + "\\n" + std::string(size, 'd') + '"');
        body.append(R"({"data":)").append(data.back()).append(number % 3 == 0 ? "}\r\n" : "}\n");
    }
    const request keyed_lines{.content_type = "application/x-ndjson", .idempotency_key = "key"};
    const auto result = read(body, keyed_lines);
    REQUIRE(result.events.size() == data.size());
    for (std::size_t number = 0; number < data.size(); ++number) {
        const bool right = result.events[number].data == data[number] &&
                           result.events[number].id == "key-" + std::to_string(number);
        if (!right) FAIL_CHECK("event " << number);
    }
    CHECK(says(refused(body + "{]\n" + body, ndjson), "line 5001: invalid JSON at byte 1"));
}

TEST_CASE("blank lines may stand anywhere among many", "[intake][batch]") {
    const auto long_line = "{\"data\":\"" + std::string(70'000, 'd') + "\"}\n";
    const std::string blanks(70'000, '\n');
    CHECK(read("\n" + long_line + "{}", ndjson).events.size() == 2);
    CHECK(read(blanks + long_line, ndjson).events.size() == 1);
    CHECK(read(long_line + blanks + "{}\n", ndjson).events.size() == 2);
    CHECK(read(long_line + blanks, ndjson).events.size() == 1);
}

TEST_CASE("an escape is undone in whichever of many lines it stands", "[intake][batch]") {
    const std::string escaped = R"({"type":"\u0062","data":1})";
    const auto others = many(5000, R"({"type":"a","data":1})", "\n");
    auto result = read(escaped + "\n" + others, ndjson);
    REQUIRE(result.events.size() == 5001);
    CHECK(result.events.front().type == "b");
    result = read(others + "\n" + escaped, ndjson);
    REQUIRE(result.events.size() == 5001);
    CHECK(result.events.back().type == "b");
}

TEST_CASE("lines are the same wherever they end", "[intake][batch]") {
    for (std::size_t size = 65'530; size < 65'545; ++size) {
        const auto first = "{\"data\":\"" + std::string(size - 11, 'd') + "\"}"; // so many bytes
        const auto result = read(first + "\n{\"data\":2}\n", ndjson);
        REQUIRE(result.events.size() == 2);
        CHECK(result.events[0].data.size() == size - 9);
        CHECK(result.events[1].data == "2");
    }
}

TEST_CASE("one line too many is one too many however far behind it is", "[intake][batch]") {
    event_reader reader{{.max_batch_events = 3}};
    const auto line = "{\"data\":\"" + std::string(30'000, 'd') + "\"}";
    CHECK(read(reader, many(3, line, "\n"), ndjson).events.size() == 3);
    const auto result = read(reader, many(4, line, "\n"), ndjson);
    REQUIRE(result.refused);
    CHECK(result.refused->kind == refusal_kind::batch_too_large);
    CHECK(result.events.empty());
}

TEST_CASE("a line with a number that simdjson cannot hold is like any other", "[intake][batch]") {
    const auto result = read("{\"a\":1}\n{\"a\":1e400}\n{\"a\":3}\n", ndjson);
    REQUIRE(result.events.size() == 3);
    CHECK(result.events[1].data == "{\"a\":1e400}");
}

TEST_CASE("a body without events is refused", "[intake][batch]") {
    for (const auto* text : {"", " ", "\r\n", "[]", " [ ] "})
        CHECK(refused(text).kind == refusal_kind::empty_body);
    for (const auto* text : {"", "\n", " \n\r\n\t\n"})
        CHECK(refused(text, ndjson).kind == refusal_kind::empty_body);
    for (const auto* type : {"", "text/plain", "image/png", "application/vnd.x+json"})
        CHECK(refused("", {.content_type = type}).kind == refusal_kind::empty_body);
}

TEST_CASE("a batch may have as many events as the limit", "[intake][batch]") {
    event_reader reader{{.max_batch_events = 3}};
    CHECK(read(reader, '[' + many(3, "{}", ",") + ']').events.size() == 3);
    CHECK(read(reader, many(3, "{}", "\n\n"), ndjson).events.size() == 3);
    const auto array = read(reader, '[' + many(4, "{}", ",") + ']');
    REQUIRE(array.refused);
    CHECK(array.refused->kind == refusal_kind::batch_too_large);
    CHECK(says(*array.refused, "more than 3 events"));
    CHECK(array.events.empty());
    const auto lines = read(reader, many(4, "{}", "\n"), ndjson);
    REQUIRE(lines.refused);
    CHECK(lines.refused->kind == refusal_kind::batch_too_large);
}

TEST_CASE("an event may be as large as the limit, attributes included", "[intake][batch]") {
    event_reader reader{{.default_source = "s", .max_event_bytes = 100}};
    // id 2, source 1, type 5, datacontenttype 16: 24 bytes, and so 76 of data.
    const auto sized = [](std::size_t data) {
        return "{\"id\":\"xy\",\"data\":\"" + std::string(data - 2, 'd') + "\"}";
    };
    CHECK(read(reader, sized(76)).events.size() == 1);
    const auto one = read(reader, sized(77));
    REQUIRE(one.refused);
    CHECK(one.refused->kind == refusal_kind::event_too_large);
    CHECK(says(*one.refused, "101 bytes of data and attributes; expected at most 100"));
    CHECK(says(*read(reader, "[{}," + sized(77) + ']').refused, "event [1]: the event has 101 bytes"));
    const auto opaque = read(reader, std::string(200, 'x'), {.content_type = "text/csv"});
    REQUIRE(opaque.refused);
    CHECK(opaque.refused->kind == refusal_kind::event_too_large);
}

TEST_CASE("invalid JSON is refused with its place", "[intake][json]") {
    const auto why = refused("{\"a\":1,,}");
    CHECK(why.kind == refusal_kind::invalid_json);
    CHECK(why.detail == "invalid JSON at byte 7: found ',', expected a member's name in double quotes");
    CHECK(says(refused("{} ]"), "byte 3: found ']', expected the end of the text"));
    CHECK(says(refused("nonsense"), "invalid JSON at byte 0"));
}

TEST_CASE("a JSON value that is neither object nor array is refused", "[intake][json]") {
    for (const auto* text : {"1", "\"s\"", "true", "null", " 1 "}) {
        const auto why = refused(text);
        CHECK(why.kind == refusal_kind::unexpected_json);
        CHECK(says(why, "expected an object or an array"));
    }
}

TEST_CASE("a byte order mark before JSON is passed over", "[intake][json]") {
    CHECK(read_one("\xef\xbb\xbf{\"a\":1}").data == "{\"a\":1}");
    CHECK(read_one("\xef\xbb\xbf{\"a\":1}", {.content_type = "text/plain"}).data == "{\"a\":1}");
    CHECK(read_one("\xef\xbb\xbf{\"a\":1}\n", ndjson).data == "{\"a\":1}");
    CHECK(says(refused("\xef\xbb\xbf{\"a\":}"), "byte 8: found '}'"));
    CHECK(refused("\xef\xbb\xbf\xef\xbb\xbf{}").kind == refusal_kind::invalid_json);
}

TEST_CASE("what curl and beacons send is JSON when it begins like it", "[intake][content_type]") {
    for (const auto* type :
         {"", "text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded"}) {
        const request about{.content_type = type};
        CHECK(read_one(" \t\r\n{\"id\":\"a\",\"data\":1}", about).id == "a");
        CHECK(read("\n[{},{}]", about).events.size() == 2);
        CHECK(refused("{oops", about).kind == refusal_kind::invalid_json);
    }
}

TEST_CASE("any other body is the data of one event", "[intake][content_type]") {
    const auto form = read_one("a=1&b=2", {.content_type = "application/x-www-form-urlencoded"});
    CHECK(form.data == "a=1&b=2");
    CHECK(form.kind == data_kind::text);
    CHECK(form.datacontenttype == "application/x-www-form-urlencoded");
    CHECK(form.type == "event");
    CHECK(form.source == "the-default");

    const auto csv = read_one("{a;b}\r\n", {.content_type = "Text/CSV; header=present", .path_type = "rows"});
    CHECK(csv.data == "{a;b}\r\n");
    CHECK(csv.datacontenttype == "Text/CSV; header=present");
    CHECK(csv.type == "rows");

    const auto image = read_one(std::string_view{"\x89PNG\0", 5}, {.content_type = "image/png"});
    CHECK(image.data == std::string_view{"\x89PNG\0", 5});
    CHECK(image.kind == data_kind::binary);
}

TEST_CASE("a body without a content type gets one by what it is", "[intake][content_type]") {
    CHECK(read_one("hello é", {.content_type = ""}).datacontenttype == "text/plain");
    CHECK(read_one("hello é", {.content_type = ""}).kind == data_kind::text);
    CHECK(read_one("\xff\xfe", {.content_type = ""}).datacontenttype == "application/octet-stream");
    CHECK(read_one("\xff\xfe", {.content_type = ""}).kind == data_kind::binary);
}

TEST_CASE(
    "a body of another JSON type is the data of one event, and must be JSON", "[intake][content_type]"
) {
    const request about{.content_type = "application/vnd.acme+json"};
    for (const std::string text : {"{\"data\":1,\"x\":2}", "[1,2]", "7", "1e400"}) {
        const auto e = read_one(' ' + text + '\n', about);
        CHECK(e.data == text);
        CHECK(e.kind == data_kind::json);
        CHECK(e.datacontenttype == "application/vnd.acme+json");
    }
    const auto why = refused("{", about);
    CHECK(why.kind == refusal_kind::invalid_json);
    CHECK(says(why, "byte 1"));
}

TEST_CASE("JSON in another charset than UTF-8 is refused", "[intake][content_type]") {
    for (const auto* type :
         {"application/json; charset=iso-8859-1", "application/x-ndjson;charset=utf-16",
          "text/plain;charset=latin1"}) {
        const auto why = refused("{}", {.content_type = type});
        CHECK(why.kind == refusal_kind::unsupported_media_type);
        CHECK(says(why, "charset"));
    }
    CHECK(read_one("caf\xe9", {.content_type = "text/plain;charset=latin1"}).kind == data_kind::binary);
}

TEST_CASE("a content type that is none is refused", "[intake][content_type]") {
    for (const auto& type : std::vector<std::string>{"json", "a/b\xff", "a/" + std::string(1024, 'b')})
        CHECK(refused("{}", {.content_type = type}).kind == refusal_kind::unsupported_media_type);
}

TEST_CASE("the idempotency key is the id of an event without one", "[intake][idempotency]") {
    const request keyed{.idempotency_key = "key"};
    CHECK(read_one(R"({"data":1})", keyed).id == "key");
    CHECK(read_one(R"({"id":"not-an-id-here"})", keyed).id == "key");
    CHECK(read_one(R"({"id":"mine","data":1})", keyed).id == "mine");
    CHECK(read_one("x", {.content_type = "text/csv", .idempotency_key = "key"}).id == "key");
}

TEST_CASE("in a batch the idempotency key goes with each event's index", "[intake][idempotency]") {
    const std::string key(trackd::intake::max_idempotency_key_bytes, 'k');
    const auto array = read(R"([{"data":1},{"id":"mine","data":2},{"data":3}])", {.idempotency_key = key});
    REQUIRE(array.events.size() == 3);
    CHECK(array.events[0].id == key + "-0");
    CHECK(array.events[1].id == "mine");
    CHECK(array.events[2].id == key + "-2");
    const auto lines = read("\n{}\n\n{}\n", {.content_type = "application/x-ndjson", .idempotency_key = key});
    REQUIRE(lines.events.size() == 2);
    CHECK(lines.events[0].id == key + "-0");
    CHECK(lines.events[1].id == key + "-1");
}

TEST_CASE("a reader is none the worse for a large body or a bad one", "[intake][batch]") {
    event_reader reader{{}};
    const auto large = "{\"data\":\"" + std::string(900'000, '\\') + "\"}";
    const auto wide = '{' + many(50'000, "\"a\":1", ",") + '}';
    for (int i = 0; i < 3; ++i) {
        CHECK(read(reader, large).events.size() == 1);
        CHECK(read(reader, wide).events.size() == 1);
        CHECK(read(reader, "{\"data\":").refused);
        CHECK(read(reader, R"({"id":"\u0069","data":1})").events.at(0).id == "i");
    }
}

TEST_CASE("other bounds, and another source, hold from the next body on", "[intake][batch]") {
    event_reader reader{{}};
    trackd::batch batch;
    const body two{R"([{"data":1},{"data":2}])"};
    REQUIRE_FALSE(reader.read({arrival, {}, {}, {}}, two.text(), batch));
    trackd::intake::event_reader_options options;
    options.max_batch_events = 1;
    options.default_source = "elsewhere";
    reader.use(options);
    REQUIRE(reader.read({arrival, {}, {}, {}}, two.text(), batch));
    const body one{R"({"data":3})"};
    REQUIRE_FALSE(reader.read({arrival, {}, {}, {}}, one.text(), batch));
    REQUIRE(batch.events() == 3);
    CHECK((*batch.begin()).source == "trackd");
    CHECK((*std::next(batch.begin(), 2)).source == "elsewhere");
}
