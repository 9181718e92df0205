// Bodies of requests: events as JSON, and packed.
#include "helpers.hpp"
#include "sinks/http_bodies.hpp"

#include <boost/json/parse.hpp>

#include <zlib.h>
#include <zstd.h>

using namespace trackd;
using namespace trackd::sinks;
namespace json = boost::json;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::string from_gzip(const std::string& packed, std::size_t size) {
    z_stream stream{};
    REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK);
    std::string in = packed;
    std::string out(size + 1, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    CHECK(::inflate(&stream, Z_FINISH) == Z_STREAM_END);
    CHECK(stream.avail_in == 0);
    out.resize(stream.total_out);
    ::inflateEnd(&stream);
    return out;
}

std::string from_zstd(const std::string& packed, std::size_t size) {
    std::string out(size + 1, '\0');
    const auto got = ::ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
    REQUIRE(::ZSTD_isError(got) == 0);
    out.resize(got);
    return out;
}

} // namespace

TEST_CASE("NDJSON is one CloudEvent a line, whatever is in it", "[sinks][http]") {
    const auto events = test::tricky_events();
    const auto body = http_body(events, http_format::ndjson);
    CHECK(body.ends_with('\n'));
    const auto lines = lines_of(body);
    REQUIRE(lines.size() == events.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto event = json::parse(lines[i]).as_object();
        CHECK(event.at("specversion").as_string() == "1.0");
        CHECK(std::string_view{event.at("id").as_string()} == events[i].id);
        CHECK(std::string_view{event.at("source").as_string()} == events[i].source);
    }
}

TEST_CASE("both arrays hold the same events, in order", "[sinks][http]") {
    const auto events = test::tricky_events();
    const auto body = http_body(events, http_format::json);
    CHECK(body == http_body(events, http_format::cloudevents));
    const auto array = json::parse(body).as_array();
    REQUIRE(array.size() == events.size());
    for (std::size_t i = 0; i < array.size(); ++i)
        CHECK(std::string_view{array[i].at("id").as_string()} == events[i].id);
    const test::numbered_events one{1};
    CHECK(json::parse(http_body(one, http_format::json)).as_array().size() == 1);
}

TEST_CASE("each format has its content type", "[sinks][http]") {
    CHECK(content_type_of(http_format::ndjson) == "application/x-ndjson");
    CHECK(content_type_of(http_format::json) == "application/json");
    CHECK(content_type_of(http_format::cloudevents) == "application/cloudevents-batch+json");
}

TEST_CASE("a packed body is the same when it is unpacked, and smaller", "[sinks][http]") {
    const auto body = http_body(test::tricky_events(), http_format::ndjson);
    CHECK(packed(body, http_compression::none) == body);
    const auto gzip = packed(body, http_compression::gzip);
    CHECK(gzip.size() < body.size() / 10);
    CHECK(from_gzip(gzip, body.size()) == body);
    const auto zstd = packed(body, http_compression::zstd);
    CHECK(zstd.size() < body.size() / 10);
    CHECK(from_zstd(zstd, body.size()) == body);
    CHECK(content_encoding_of(http_compression::none).empty());
    CHECK(content_encoding_of(http_compression::gzip) == "gzip");
    CHECK(content_encoding_of(http_compression::zstd) == "zstd");
}
