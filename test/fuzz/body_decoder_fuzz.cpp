// Fuzzes the decompression of bodies: bytes as they come, and streams that were packed soundly and then damaged.
#include "intake/body_decoder.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <zlib.h>
#include <zstd.h>

namespace {

using trackd::intake::body_decoder;
using trackd::intake::decoding_limits;

constexpr decoding_limits limits{.max_bytes = 100'000, .max_ratio = 50};

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "body_decoder_fuzz: does not hold: %s\n", what);
    std::abort();
}

std::string deflated(std::string_view text, int window_bits) {
    z_stream stream{};
    require(
        deflateInit2(&stream, 1, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflate begins"
    );
    std::string in{text};
    std::string out(deflateBound(&stream, in.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(in.data()); // NOLINT: its word for bytes
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data()); // NOLINT
    stream.avail_out = static_cast<uInt>(out.size());
    require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate ends");
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string packed(std::size_t how, std::string_view text) {
    switch (how) {
    case 0: return deflated(text, MAX_WBITS + 16);
    case 1: return deflated(text, MAX_WBITS);
    case 2: return deflated(text, -MAX_WBITS);
    default: {
        std::string out(ZSTD_compressBound(text.size()), '\0');
        out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
        return out;
    }
    }
}

constexpr std::array<std::string_view, 4> codings{"gzip", "deflate", "deflate", "zstd"};

// Decodes with one decoder that was used before, and with a new one: both must come to the same.
std::string decode(std::string_view coding, std::string_view sent) {
    if (sent.empty()) return {}; // it stays what it is, and here nothing can be read behind it
    static body_decoder used{limits};
    body_decoder fresh{limits};
    std::string_view one = sent;
    std::string_view other = sent;
    const auto refused = used.decode(coding, one);
    const auto refused_too = fresh.decode(coding, other);
    require(refused.has_value() == refused_too.has_value(), "what was decoded before changes nothing");
    if (refused) {
        require(refused->kind == refused_too->kind, "nor the reason");
        used.release();
        return {};
    }
    require(one == other, "nor the body");
    require(one.size() <= limits.max_bytes, "the limit holds");
    std::string body{one.data(), one.size() + 64}; // the padding can be read
    body.resize(one.size());
    return body;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input{reinterpret_cast<const char*>(data), size}; // NOLINT: libFuzzer's bytes as ours
    if (input.empty()) return 0;
    const auto mode = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    const std::size_t how = mode % 4;
    if ((mode & 4U) == 0) {
        static_cast<void>(decode(codings[how], input));
        return 0;
    }
    // The first bytes say what is damaged, the rest is what was packed.
    const auto damage = input.substr(0, std::min<std::size_t>(input.size(), (mode >> 3U) % 8 * 2));
    const auto text = input.substr(damage.size());
    auto sent = packed(how, text);
    for (std::size_t i = 0; i + 1 < damage.size(); i += 2) {
        const auto at = static_cast<unsigned char>(damage[i]) % sent.size();
        sent[at] = static_cast<char>(sent[at] ^ damage[i + 1]);
    }
    const auto body = decode(codings[how], sent);
    require(!damage.empty() || body == text, "what was packed comes out");
    return 0;
}
