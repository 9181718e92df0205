#include "support/catch.hpp"
#include "walking.hpp"

#include <fstream>
#include <iterator>
#include <string>

using namespace trackd;

namespace {

// The one in docs/journal.md: one event, and a mark behind it.
test::segment_bytes example() {
    journal::segment_header header;
    header.first = 1523;
    header.salt = 0x5EEDCAFE;
    header.chain = 0xA1B2C3D4;
    test::segment_bytes segment{header};
    event_view event;
    event.id = "0190163d-8694-739b-aea5-966c26f8ad91";
    event.source = "shop";
    event.type = "order.created";
    event.data = R"({"order":7})";
    event.kind = data_kind::json;
    event.time = wall_time{std::chrono::microseconds{1'795'248'930'000'250}};
    event.received_at = wall_time{std::chrono::microseconds{1'795'248'930'000'981}};
    segment.add_event(event);
    segment.end_commit();
    segment.add_mark();
    return segment;
}

std::string hex(std::uint64_t number, std::size_t digits) {
    std::string text;
    for (; digits > 0; --digits)
        text.push_back("0123456789abcdef"[number >> (digits - 1) * 4 & 0xFU]);
    return text;
}

std::string line_of(std::string_view bytes) {
    std::string line;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        line.append(i % 8 == 0 ? "  " : " ").append(hex(static_cast<unsigned char>(bytes[i]), 2));
    line.append("  |");
    for (const auto byte : bytes)
        line.push_back(byte >= ' ' && byte <= '~' ? byte : '.');
    return line.append("|\n");
}

// As `hexdump -C` prints it.
std::string dump(std::string_view bytes) {
    std::string text;
    std::string before;
    bool starred = false;
    for (std::size_t at = 0; at < bytes.size(); at += 16) {
        const auto line = line_of(bytes.substr(at, 16));
        if (line != before) text.append(hex(at, 8)).append(line);
        if (line == before && !starred) text.append("*\n");
        starred = line == before;
        before = line;
    }
    return text.append(hex(bytes.size(), 8)).append("\n");
}

} // namespace

TEST_CASE("the example in docs/journal.md is what the code writes", "[segment]") {
    std::ifstream page{TRACKD_SOURCE_DIR "/docs/journal.md"};
    const std::string text{std::istreambuf_iterator<char>{page}, {}};
    REQUIRE_FALSE(text.empty());
    const auto expected = dump(example().file());
    CAPTURE(expected);
    CHECK(text.find("\n" + expected) != std::string::npos);
}

TEST_CASE("the example in docs/journal.md can be read", "[segment]") {
    CHECK(test::walk(example()).records == example().records());
}
