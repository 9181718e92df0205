// Bodies that come compressed: gzip, deflate and zstd are taken off before anybody looks at the events.
#pragma once

#include "base/byte_budget.hpp"
#include "intake/refusal.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace trackd::intake {

struct decoding_limits {
    std::size_t max_bytes = std::size_t{10} << 20U; ///< of one decoded body; at least 1
    /// How many times the body may grow, once it has grown beyond 1 MiB; 0: any. Whoever sends real events stays far
    /// below, a bomb does not.
    std::size_t max_ratio = 200;
    /// What all bodies may take together: what is decoded beyond 1 MiB, which a thread keeps anyway, is taken out of
    /// it. Outlives the decoder. Null: any amount.
    base::byte_budget* bodies = nullptr;
};

/// Decodes one body after the other, and keeps its memory, so that ordinary bodies allocate nothing. What it holds is
/// bounded by the limits, whatever comes. Confined to one thread.
class body_decoder {
public:
    explicit body_decoder(decoding_limits limits);
    body_decoder(const body_decoder&) = delete;
    body_decoder& operator=(const body_decoder&) = delete;
    ~body_decoder();

    /// From the next body on.
    void use(decoding_limits limits);

    /// Takes off one content coding: `gzip` (RFC 1952, members one behind the other), `deflate` (RFC 1950, or RFC 1951
    /// bare, which some send) or `zstd` (RFC 8878, frames one behind the other, window of at most 8 MiB); nothing else
    /// may follow its end. Nothing to do for `identity`, for no coding, and for an empty body.
    /// @param coding the value of Content-Encoding; empty: there was none
    /// @param body   becomes the decoded body: it lives until the next call of this or of `release`, and
    ///               `http::request::body_padding` bytes behind it can be read
    /// @return why it cannot be decoded
    [[nodiscard]] std::optional<refusal> decode(std::string_view coding, std::string_view& body);

    /// Gives memory back if the last body was far larger than usual.
    void release() noexcept;

private:
    class output;
    class inflater;
    class zstd_decoder;

    template <class Decoder>
    std::optional<refusal> decode_with(Decoder& decoder, std::string_view coding, std::string_view& body);

    decoding_limits limits_;
    std::unique_ptr<output> output_;
    std::unique_ptr<inflater> inflater_; // made when it is wanted first, like the next one
    std::unique_ptr<zstd_decoder> zstd_;
};

} // namespace trackd::intake
