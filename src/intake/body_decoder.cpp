#include "intake/body_decoder.hpp"

#include "base/ascii.hpp"
#include "http/request.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <utility>

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace trackd::intake {

namespace {

// As much is decoded whatever the ratio: a short body of blanks is no bomb yet.
constexpr std::size_t harmless_bytes = std::size_t{1} << 20U;

constexpr std::size_t first_bytes = std::size_t{64} << 10U;
constexpr std::size_t usual_bytes = std::size_t{1} << 20U;

// RFC 8878 section 3.1.1.1.2: a decoder need not support more, and an encoder should not ask for more.
constexpr int zstd_window_log = 23;

enum class outcome { goes_on, ended, broken };

struct progress {
    outcome how;
    std::size_t taken;
    std::size_t made;
    std::string_view fault = {}; // of what is broken
};

enum class deflate_format { gzip, zlib, bare };

// Of what is called `deflate`: the first two bytes of RFC 1950 have a checksum, which RFC 1951 fits by chance only.
deflate_format format_of_deflate(std::string_view body) noexcept {
    if (body.size() < 2) return deflate_format::zlib;
    const auto first = static_cast<unsigned char>(body[0]);
    const auto second = static_cast<unsigned char>(body[1]);
    const bool is_zlib = (first & 0x0fU) == Z_DEFLATED && (first * 256U + second) % 31U == 0;
    return is_zlib ? deflate_format::zlib : deflate_format::bare;
}

int window_bits(deflate_format format) noexcept {
    switch (format) {
    case deflate_format::gzip: return MAX_WBITS + 16;
    case deflate_format::bare: return -MAX_WBITS;
    default: return MAX_WBITS;
    }
}

refusal unsound(std::string_view coding, std::string what) {
    return {
        refusal_kind::invalid_encoding, "the body is no sound " + std::string{coding} + ": " + std::move(what)
    };
}

refusal too_large(std::size_t most) {
    return {
        refusal_kind::body_too_large,
        "the decoded body has more than " + std::to_string(most) +
            " bytes; send the events in several requests",
        limit::max_decoded_bytes
    };
}

refusal grows_too_much(std::size_t most) {
    return {
        refusal_kind::body_too_large,
        "the body grows to more than " + std::to_string(most) +
            " times its size when it is decoded; send it uncompressed",
        limit::max_decoded_ratio
    };
}

refusal bodies_full() {
    return {
        refusal_kind::bodies_full, "there is no room for the decoded body beside those that are being read",
        limit::max_bodies_bytes
    };
}

refusal unsupported(std::string_view coding) {
    return {
        refusal_kind::unsupported_encoding,
        "Content-Encoding is " + quoted(coding) + "; expected one of gzip, deflate, zstd, or none"
    };
}

} // namespace

// Grows as it is filled, so that a small body needs little, and a bomb no more than the limit.
class body_decoder::output {
public:
    explicit output(const decoding_limits& limits) : most_{limits.max_bytes}, held_{limits.bodies} {}

    void clear() noexcept { used_ = 0; }

    // Makes room for more, up to the limit. False where other bodies have it.
    bool make_room() {
        if (used_ < capacity_ || capacity_ == most_) return true;
        const auto larger = std::min(std::max(first_bytes, 2 * capacity_), most_);
        if (larger > usual_bytes && !held_.grow_to(larger)) return false;
        grow_to(larger);
        return true;
    }

    // Empty where the limit is reached.
    [[nodiscard]] std::span<char> room() const noexcept { return {bytes_.get() + used_, capacity_ - used_}; }

    void made(std::size_t bytes) noexcept { used_ += bytes; }

    [[nodiscard]] std::size_t size() const noexcept { return used_; }

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), used_}; }

    void release() noexcept {
        if (capacity_ <= usual_bytes) return;
        bytes_.reset();
        capacity_ = 0;
        used_ = 0;
        held_.release();
    }

private:
    void grow_to(std::size_t larger) {
        auto bytes = std::make_unique_for_overwrite<char[]>(larger + http::request::body_padding);
        if (used_ > 0) std::memcpy(bytes.get(), bytes_.get(), used_);
        bytes_ = std::move(bytes);
        capacity_ = larger;
    }

    std::size_t most_;
    base::byte_share held_; // for what is larger than usual
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t used_ = 0;
};

class body_decoder::inflater {
public:
    inflater() {
        if (inflateInit2(&stream_, window_bits(deflate_format::zlib)) != Z_OK) throw std::bad_alloc{};
    }

    ~inflater() { inflateEnd(&stream_); }

    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;

    void begin(deflate_format format) {
        format_ = format;
        inflateReset2(&stream_, window_bits(format));
    }

    // RFC 1952 section 2.2: a file of gzip may have several members.
    bool begin_next(std::string_view rest) {
        if (format_ != deflate_format::gzip || !rest.starts_with("\x1f\x8b")) return false;
        begin(format_);
        return true;
    }

    progress step(std::string_view in, std::span<char> out) {
        stream_.next_in = reinterpret_cast<const Bytef*>(in.data()); // NOLINT: its word for bytes
        stream_.avail_in = static_cast<uInt>(in.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out.data()); // NOLINT
        stream_.avail_out = static_cast<uInt>(out.size());
        const int result = inflate(&stream_, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR) throw std::bad_alloc{};
        const progress now{outcome::goes_on, in.size() - stream_.avail_in, out.size() - stream_.avail_out};
        if (result == Z_STREAM_END) return {outcome::ended, now.taken, now.made};
        if (result == Z_OK || result == Z_BUF_ERROR) return now;
        return {
            outcome::broken, now.taken, now.made,
            result == Z_NEED_DICT ? "it needs a dictionary" : "it is broken"
        };
    }

private:
    z_stream stream_{};
    deflate_format format_ = deflate_format::zlib;
};

class body_decoder::zstd_decoder {
public:
    zstd_decoder() : context_{ZSTD_createDCtx()} {
        if (!context_) throw std::bad_alloc{};
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, zstd_window_log);
    }

    void begin() { ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only); }

    // RFC 8878 section 3.1: several frames may stand one behind the other, also those that are skipped.
    static bool begin_next(std::string_view rest) noexcept {
        if (rest.starts_with("\x28\xb5\x2f\xfd")) return true;
        return rest.size() > 3 && (static_cast<unsigned char>(rest.front()) & 0xf0U) == 0x50U &&
               rest.substr(1, 3) == "\x2a\x4d\x18";
    }

    progress step(std::string_view in, std::span<char> out) {
        ZSTD_inBuffer from{in.data(), in.size(), 0};
        ZSTD_outBuffer to{out.data(), out.size(), 0};
        const auto result = ZSTD_decompressStream(context_.get(), &to, &from);
        if (ZSTD_isError(result) != 0)
            return {outcome::broken, from.pos, to.pos, fault(ZSTD_getErrorCode(result))};
        return {result == 0 ? outcome::ended : outcome::goes_on, from.pos, to.pos};
    }

    [[nodiscard]] std::size_t bytes() const noexcept { return ZSTD_sizeof_DCtx(context_.get()); }

private:
    static std::string_view fault(ZSTD_ErrorCode code) noexcept {
        switch (code) {
        case ZSTD_error_frameParameter_windowTooLarge: return "its window is larger than 8 MiB";
        case ZSTD_error_dictionary_wrong: return "it needs a dictionary";
        default: return "it is broken";
        }
    }

    struct free_context {
        void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
    };

    std::unique_ptr<ZSTD_DCtx, free_context> context_;
};

body_decoder::body_decoder(decoding_limits limits)
    : limits_{limits}, output_{std::make_unique<output>(limits)} {}

body_decoder::~body_decoder() = default;

void body_decoder::use(decoding_limits limits) {
    limits_ = limits;
    output_ = std::make_unique<output>(limits);
}

std::optional<refusal> body_decoder::decode(std::string_view coding, std::string_view& body) {
    const auto is = [coding](std::string_view name) { return base::equal_ignoring_case(coding, name); };
    if (coding.empty() || is("identity")) return std::nullopt;
    const bool gzip = is("gzip") || is("x-gzip");
    if (!gzip && !is("deflate") && !is("zstd")) return unsupported(coding);
    if (body.empty()) return std::nullopt;

    output_->clear();
    if (is("zstd")) {
        if (!zstd_) zstd_ = std::make_unique<zstd_decoder>();
        zstd_->begin();
        return decode_with(*zstd_, "zstd", body);
    }
    if (!inflater_) inflater_ = std::make_unique<inflater>();
    inflater_->begin(gzip ? deflate_format::gzip : format_of_deflate(body));
    return decode_with(*inflater_, gzip ? "gzip" : "deflate", body);
}

template <class Decoder>
std::optional<refusal>
body_decoder::decode_with(Decoder& decoder, std::string_view coding, std::string_view& body) {
    for (std::size_t at = 0;;) {
        char beyond = 0; // shows that there is more than the limit allows
        if (!output_->make_room()) return bodies_full();
        const auto room = output_->room();
        const bool full = room.empty();
        const auto step = decoder.step(body.substr(at), full ? std::span{&beyond, 1} : room);
        at += step.taken;
        if (full && step.made > 0) return too_large(limits_.max_bytes);
        if (!full) output_->made(step.made);

        const auto size = output_->size();
        const bool suspicious = limits_.max_ratio > 0 && size > harmless_bytes;
        if (suspicious && size / limits_.max_ratio >= body.size()) return grows_too_much(limits_.max_ratio);

        if (step.how == outcome::broken)
            return unsound(coding, std::string{step.fault} + ", near byte " + std::to_string(at));
        if (step.how == outcome::ended && at == body.size()) {
            body = output_->view();
            return std::nullopt;
        }
        if (step.how == outcome::ended && !decoder.begin_next(body.substr(at)))
            return unsound(
                coding, std::to_string(body.size() - at) + " bytes follow its end; expected nothing there"
            );
        if (at == body.size() && step.made == 0)
            return unsound(coding, "it ends too early, after " + std::to_string(at) + " bytes");
    }
}

void body_decoder::release() noexcept {
    output_->release();
    if (zstd_ && zstd_->bytes() > usual_bytes) zstd_.reset();
}

} // namespace trackd::intake
