#include "sinks/http_bodies.hpp"

#include "base/json_text.hpp"

#include <array>
#include <limits>
#include <stdexcept>
#include <utility>
#include <zlib.h>
#include <zstd.h>

namespace trackd::sinks {

namespace {

// More than the attributes of most take; another one or two find room in it.
constexpr std::size_t event_overhead = 256;

// With window and header of gzip.
constexpr int gzip_window = 15 + 16;
constexpr int gzip_memory = 8;

std::string in_gzip(std::string body) {
    if (body.size() > std::numeric_limits<uInt>::max()) throw std::runtime_error{"gzip: more than 4 GiB"};
    z_stream stream{};
    if (::deflateInit2(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, gzip_memory, Z_DEFAULT_STRATEGY
        ) != Z_OK)
        throw std::runtime_error{"gzip: no memory"};
    std::string out(::deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(body.data());
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = ::deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    if (ended != Z_STREAM_END) throw std::runtime_error{"gzip: the body cannot be packed"};
    return out;
}

std::string in_zstd(std::string_view body) {
    std::string out(::ZSTD_compressBound(body.size()), '\0');
    const auto size = ::ZSTD_compress(out.data(), out.size(), body.data(), body.size(), ZSTD_CLEVEL_DEFAULT);
    if (::ZSTD_isError(size) != 0)
        throw std::runtime_error{std::string{"zstd: "} + ::ZSTD_getErrorName(size)};
    out.resize(size);
    return out;
}

} // namespace

std::string http_body(std::span<const event_view> events, http_format format) {
    std::size_t bytes = 2;
    for (const auto& event : events)
        bytes += event.data.size() + event_overhead;
    std::string out;
    out.reserve(bytes);
    const bool lines = format == http_format::ndjson;
    if (!lines) out += '[';
    for (const auto& event : events) {
        if (!lines && out.size() > 1) out += ',';
        base::append_cloudevent(out, event);
        if (lines) out += '\n';
    }
    if (!lines) out += ']';
    return out;
}

std::string_view content_type_of(http_format format) noexcept {
    switch (format) {
    case http_format::ndjson: return "application/x-ndjson";
    case http_format::json: return "application/json";
    case http_format::cloudevents: return "application/cloudevents-batch+json";
    }
    return {};
}

std::string packed(std::string body, http_compression compression) {
    switch (compression) {
    case http_compression::none: break;
    case http_compression::gzip: return in_gzip(std::move(body));
    case http_compression::zstd: return in_zstd(body);
    }
    return body;
}

std::string_view content_encoding_of(http_compression compression) noexcept {
    switch (compression) {
    case http_compression::none: break;
    case http_compression::gzip: return "gzip";
    case http_compression::zstd: return "zstd";
    }
    return {};
}

} // namespace trackd::sinks
