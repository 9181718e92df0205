#include "support/catch.hpp"
#include "support/events.hpp"

#include <trackd/batch.hpp>

#include <cstring>
#include <string>

using namespace trackd;

namespace {

std::string encoded(std::size_t count = 1) {
    return std::string{test::make_batch(count).encoded()};
}

// Where the numbers of the head stand: see batch.cpp.
constexpr std::size_t size_at = 0;
constexpr std::size_t id_at = 4;
constexpr std::size_t kind_at = 14;
constexpr std::size_t extensions_at = 16;
constexpr std::size_t data_at = 20;

template <typename Number>
std::string with(std::string bytes, std::size_t at, Number number) {
    std::memcpy(bytes.data() + at, &number, sizeof number);
    return bytes;
}

} // namespace

TEST_CASE("what a batch encoded is one event, and can be read where it lies", "[batch]") {
    CHECK(is_one_event(encoded()));
    CHECK((*batch::iterator{encoded().data()}).kind == data_kind::json);
    batch empty;
    empty.append(event_view{});
    CHECK(is_one_event(empty.encoded()));
}

TEST_CASE("the longest attributes are still one event", "[batch]") {
    const std::string longest(max_attribute_bytes, 'x');
    batch events;
    events.append({longest, longest, longest, longest, longest, "{}", "[]", data_kind::json, {}, {}});
    CHECK(is_one_event(events.encoded()));
}

TEST_CASE("two events, and a piece of one, are not one event", "[batch]") {
    CHECK_FALSE(is_one_event(encoded(2)));
    const auto whole = encoded();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(is_one_event(std::string_view{whole}.substr(0, length)));
    }
    CHECK_FALSE(is_one_event(whole + "x"));
}

TEST_CASE("an event whose size is not that of its bytes is none", "[batch]") {
    const auto whole = encoded();
    const auto size = static_cast<std::uint32_t>(whole.size());
    CHECK(is_one_event(with(whole, size_at, size)));
    CHECK_FALSE(is_one_event(with(whole, size_at, size - 1)));
    CHECK_FALSE(is_one_event(with(whole, size_at, size + 1)));
}

TEST_CASE("an event whose lengths add up to something else is none, not even by overflow", "[batch]") {
    const auto whole = encoded();
    const auto data = std::uint32_t{7}; // what make_event has
    REQUIRE(is_one_event(with(whole, data_at, data)));
    CHECK_FALSE(is_one_event(with(whole, data_at, data + 1)));
    CHECK_FALSE(is_one_event(with(whole, extensions_at, std::uint32_t{1})));
    CHECK_FALSE(is_one_event(with(with(whole, extensions_at, ~std::uint32_t{0}), data_at, data + 1)));
}

TEST_CASE("an event with an attribute that is too long is none", "[batch]") {
    auto event = test::make_event("");
    const std::string data(max_attribute_bytes + 1, 'x');
    event.data = data;
    batch events;
    events.append(event);
    const std::string whole{events.encoded()};
    // The same bytes read as an id instead of as data: only the limit speaks against it.
    const auto as_id = [&whole](std::size_t id) {
        const auto moved = static_cast<std::uint32_t>(max_attribute_bytes + 1 - id);
        return with(with(whole, id_at, static_cast<std::uint16_t>(id)), data_at, moved);
    };
    CHECK(is_one_event(as_id(max_attribute_bytes)));
    CHECK_FALSE(is_one_event(as_id(max_attribute_bytes + 1)));
}

TEST_CASE("an event of a kind that there is not is none", "[batch]") {
    CHECK(is_one_event(with(encoded(), kind_at, data_kind::binary)));
    CHECK_FALSE(is_one_event(with(encoded(), kind_at, std::uint8_t{4})));
    CHECK_FALSE(is_one_event(with(encoded(), kind_at, std::uint8_t{255})));
}
