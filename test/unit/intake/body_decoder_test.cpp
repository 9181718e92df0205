#include "http/request.hpp"
#include "intake/body_decoder.hpp"
#include "reading.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>
#include <zlib.h>
#include <zstd.h>

using trackd::intake::body_decoder;
using trackd::intake::decoding_limits;
using trackd::intake::refusal_kind;

namespace {

constexpr int as_gzip = MAX_WBITS + 16;
constexpr int as_zlib = MAX_WBITS;
constexpr int as_bare_deflate = -MAX_WBITS;

std::string deflated(std::string_view text, int window_bits) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, text.size()), '\0');
    std::string in{text};
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string gzip(std::string_view text) {
    return deflated(text, as_gzip);
}

std::string zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

// A frame that says how large a window it needs, and holds so many blocks of 128 KiB of blanks in four bytes each.
std::string zstd_bomb(std::size_t blocks, unsigned window_log = 17) {
    std::string frame{"\x28\xb5\x2f\xfd\x00", 5};
    frame += static_cast<char>((window_log - 10) << 3U);
    for (std::size_t block = 1; block <= blocks; ++block) {
        const auto head = (block == blocks ? 1U : 0U) | 1U << 1U | (std::size_t{128} << 10U) << 3U;
        for (unsigned shift = 0; shift < 24; shift += 8)
            frame += static_cast<char>(head >> shift);
        frame += ' ';
    }
    return frame;
}

struct decoded {
    std::string body;
    std::optional<refusal_kind> refused;
    std::string why;
};

decoded decode(body_decoder& decoder, std::string_view coding, std::string_view sent) {
    std::string_view body = sent;
    if (auto refused = decoder.decode(coding, body)) return {"", refused->kind, refused->detail};
    return {std::string{body}, {}, ""};
}

decoded decode(std::string_view coding, std::string_view sent, decoding_limits limits = {}) {
    body_decoder decoder{limits};
    return decode(decoder, coding, sent);
}

// Text that shrinks only a little: pairs of letters in no order.
std::string varied(std::size_t bytes) {
    std::string text;
    for (std::uint32_t state = 1; text.size() < bytes; state = state * 1'664'525U + 1'013'904'223U)
        text += static_cast<char>('a' + (state >> 24U) % 26U);
    return text;
}

} // namespace

TEST_CASE(
    "what is decoded beyond 1 MiB is taken out of the budget, and given back", "[intake][compression]"
) {
    constexpr std::size_t mib = std::size_t{1} << 20U;
    trackd::base::byte_budget bodies{4 * mib};
    body_decoder decoder{{.max_ratio = 0, .bodies = &bodies}};
    const auto small = gzip(std::string(mib, ' '));
    const auto large = gzip(std::string(3 * mib, ' '));

    CHECK(decode(decoder, "gzip", small).body.size() == mib);
    CHECK(bodies.taken() == 0);
    CHECK(decode(decoder, "gzip", large).body.size() == 3 * mib);
    CHECK(bodies.taken() == 4 * mib);
    decoder.release();
    CHECK(bodies.taken() == 0);

    REQUIRE(bodies.take(1));
    CHECK(decode(decoder, "gzip", large).refused == refusal_kind::bodies_full);
    decoder.release();
    CHECK(bodies.taken() == 1);
    CHECK(decode(decoder, "gzip", small).body.size() == mib);
}

TEST_CASE("a body without a content coding is left alone", "[intake][compression]") {
    for (const auto* coding : {"", "identity", "Identity"}) {
        CHECK(decode(coding, "{}").body == "{}");
    }
}

TEST_CASE("each content coding is taken off", "[intake][compression]") {
    for (const auto& text : {std::string{"{}"}, varied(100), varied(200'000), std::string(1'000'000, ' ')}) {
        CAPTURE(text.size());
        CHECK(decode("gzip", gzip(text)).body == text);
        CHECK(decode("X-GZIP", gzip(text)).body == text);
        CHECK(decode("deflate", deflated(text, as_zlib)).body == text);
        CHECK(decode("deflate", deflated(text, as_bare_deflate)).body == text);
        CHECK(decode("zstd", zstd(text)).body == text);
    }
}

TEST_CASE("one decoder takes all codings in turn, also after a broken one", "[intake][compression]") {
    body_decoder decoder{{}};
    const auto text = varied(3'000'000);
    for (int round = 0; round < 3; ++round) {
        CHECK(decode(decoder, "gzip", gzip(text)).body == text);
        CHECK(decode(decoder, "gzip", "no gzip").refused);
        CHECK(decode(decoder, "deflate", deflated("{}", as_bare_deflate)).body == "{}");
        CHECK(decode(decoder, "zstd", "no zstd").refused);
        CHECK(decode(decoder, "zstd", zstd("{}")).body == "{}");
        decoder.release();
    }
}

TEST_CASE("behind a decoded body a parser may read on", "[intake][compression]") {
    body_decoder decoder{{.max_bytes = 65536}}; // the buffer is full to its end
    const auto text = varied(65536);
    const auto sent = gzip(text);
    std::string_view body = sent;
    REQUIRE_FALSE(decoder.decode("gzip", body));
    const std::string padding{
        body.data() + body.size(), trackd::http::request::body_padding
    }; // a sanitizer looks on
    CHECK(padding.size() == 64);
    CHECK(body == text);
}

TEST_CASE(
    "another content coding, or several, are refused with those that are known", "[intake][compression]"
) {
    for (const auto* coding : {"br", "gzip, gzip", "compress", "gzip;q=1"}) {
        const auto result = decode(coding, gzip("{}"));
        CHECK(result.refused == refusal_kind::unsupported_encoding);
        CHECK(result.why.ends_with("expected one of gzip, deflate, zstd, or none"));
    }
}

TEST_CASE("a compressed body cut at any byte is refused", "[intake][compression]") {
    const auto text = varied(300);
    const std::vector<std::pair<std::string, std::string>> bodies{
        {"gzip", gzip(text)}, {"deflate", deflated(text, as_zlib)}, {"zstd", zstd(text)}
    };
    for (const auto& [coding, sent] : bodies) {
        for (std::size_t bytes = 1; bytes < sent.size(); ++bytes) {
            CAPTURE(coding, bytes);
            CHECK(decode(coding, sent.substr(0, bytes)).refused == refusal_kind::invalid_encoding);
        }
    }
    CHECK(
        decode("gzip", gzip(text).substr(0, 40)).why ==
        "the body is no sound gzip: it ends too early, after 40 bytes"
    );
}

TEST_CASE("a wrong checksum is noticed", "[intake][compression]") {
    auto sent = gzip("{}");
    sent[sent.size() - 8] ^= 1; // of its CRC
    CHECK(decode("gzip", sent).refused == refusal_kind::invalid_encoding);
    sent = deflated("{}", as_zlib);
    sent.back() ^= 1;
    CHECK(decode("deflate", sent).refused == refusal_kind::invalid_encoding);
}

TEST_CASE("members of gzip, and frames of zstd, may stand one behind the other", "[intake][compression]") {
    const auto text = varied(100'000);
    CHECK(decode("gzip", gzip("{}\n") + gzip("[]")).body == "{}\n[]");
    CHECK(decode("gzip", gzip(text) + gzip("") + gzip(text)).body == text + text);
    CHECK(decode("zstd", zstd(text) + zstd("{}") + zstd(text)).body == text + "{}" + text);
    CHECK(decode("zstd", std::string{"\x5a\x2a\x4d\x18\x02\0\0\0ab", 10} + zstd("{}")).body == "{}");
    CHECK(decode("zstd", zstd("{}") + std::string{"\x50\x2a\x4d\x18\x01\0\0\0a", 9}).body == "{}");
    std::string many;
    for (int member = 0; member < 1000; ++member)
        many += gzip("{}\n");
    CHECK(decode("gzip", many).body.size() == 3000);
}

TEST_CASE("the bounds hold for all members together, and each must be sound", "[intake][compression]") {
    const decoding_limits limits{.max_bytes = 200'000, .max_ratio = 0};
    const auto half = varied(100'000);
    CHECK(decode("gzip", gzip(half) + gzip(half), limits).body.size() == 200'000);
    CHECK(decode("gzip", gzip(half) + gzip(half) + gzip(""), limits).body.size() == 200'000);
    CHECK(
        decode("gzip", gzip(half) + gzip(half) + gzip("x"), limits).refused == refusal_kind::body_too_large
    );
    CHECK(
        decode("zstd", zstd(half) + zstd(half) + zstd("x"), limits).refused == refusal_kind::body_too_large
    );
    const std::string blanks(std::size_t{2} << 20U, ' ');
    CHECK(decode("gzip", gzip(blanks) + gzip(blanks)).refused == refusal_kind::body_too_large);
    const auto second = gzip(half);
    for (const std::size_t bytes : {2U, 10U, 100U})
        CHECK(decode("gzip", gzip("{}") + second.substr(0, bytes)).refused == refusal_kind::invalid_encoding);
    CHECK(decode("zstd", zstd("{}") + zstd(half).substr(0, 100)).refused == refusal_kind::invalid_encoding);
}

TEST_CASE("nothing else may follow the end", "[intake][compression]") {
    CHECK(
        decode("gzip", gzip("{}") + "abc").why ==
        "the body is no sound gzip: 3 bytes follow its end; expected nothing there"
    );
    CHECK(decode("gzip", gzip("{}") + std::string(8, '\0')).refused == refusal_kind::invalid_encoding);
    CHECK(decode("deflate", deflated("{}", as_zlib) + "\n").refused == refusal_kind::invalid_encoding);
    CHECK(decode("deflate", deflated("{}", as_zlib) + gzip("{}")).refused == refusal_kind::invalid_encoding);
    CHECK(decode("zstd", zstd("{}") + "{}").refused == refusal_kind::invalid_encoding);
}

TEST_CASE("a decoded body may be as large as the limit, and no larger", "[intake][compression]") {
    const decoding_limits limits{.max_bytes = 200'000, .max_ratio = 0};
    for (const std::size_t bytes : {199'999U, 200'000U}) {
        CHECK(decode("gzip", gzip(varied(bytes)), limits).body.size() == bytes);
        CHECK(decode("zstd", zstd(varied(bytes)), limits).body.size() == bytes);
    }
    const auto result = decode("gzip", gzip(varied(200'001)), limits);
    CHECK(result.refused == refusal_kind::body_too_large);
    CHECK(result.why == "the decoded body has more than 200000 bytes; send the events in several requests");
    CHECK(decode("zstd", zstd(varied(200'001)), limits).refused == refusal_kind::body_too_large);
}

TEST_CASE("a body that grows suspiciously is refused before it reaches the limit", "[intake][compression]") {
    const std::string blanks(std::size_t{8} << 20U, ' ');
    const auto result = decode("gzip", gzip(blanks));
    CHECK(result.refused == refusal_kind::body_too_large);
    CHECK(
        result.why ==
        "the body grows to more than 200 times its size when it is decoded; send it uncompressed"
    );
    CHECK(decode("gzip", gzip(blanks), {.max_ratio = 0}).body == blanks);
    CHECK(decode("gzip", gzip(varied(blanks.size()))).body.size() == blanks.size()); // as large, and no bomb
}

TEST_CASE("ten gigabytes in a few hundred kilobytes are refused at the limit", "[intake][compression]") {
    const auto bomb = zstd_bomb(80'000);
    CHECK(decode("zstd", zstd_bomb(2)).body == std::string(std::size_t{256} << 10U, ' '));
    CHECK(decode("zstd", bomb).refused == refusal_kind::body_too_large);
    CHECK(decode("zstd", bomb, {.max_ratio = 0}).refused == refusal_kind::body_too_large);
}

TEST_CASE("a zstd frame that wants a large window is told so", "[intake][compression]") {
    CHECK_FALSE(decode("zstd", zstd_bomb(1, 23)).refused);
    CHECK(decode("zstd", zstd_bomb(1, 24)).why.find("its window is larger than 8 MiB") != std::string::npos);
}

TEST_CASE("a body of nothing stays nothing, and one of no bytes decoded is empty", "[intake][compression]") {
    CHECK(decode("gzip", "").body.empty());
    const auto result = decode("gzip", gzip(""));
    CHECK_FALSE(result.refused);
    CHECK(result.body.empty());
}
