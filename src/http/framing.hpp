// The framing guard: what a request must look like so that no two readers of its bytes can disagree on where
// it ends.
//
// Beast's parser lets through much that RFC 9112 forbids (unknown transfer codings, folded lines, two Hosts),
// so a request passes both: the guard looks at the raw lines before Beast sees them, and at the fields after.
#pragma once

#include "http/counters.hpp"
#include "http/options.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::http {

/// A request that no handler gets to see, and what to answer.
struct refused {
    status code;
    refusal reason;
    std::string_view slug;         ///< a literal, as in response::problem
    std::string detail;            ///< ours alone: holds nothing that the client sent
    bool close = true;             ///< false where it is known where the next request begins
    std::optional<limit> hit = {}; ///< the limit that it is over
};

/// Whether a comma-separated list has this token, parameters aside. Case does not matter.
[[nodiscard]] bool list_has_token(std::string_view list, std::string_view token) noexcept;

/// Finds the end of a header section that comes in pieces, looking at each byte once.
class head_scanner {
public:
    /// @param begin the same bytes as in the last call, and what has come since (they may have moved)
    /// @return a reason to refuse, found as early as it can be known
    [[nodiscard]] std::optional<refused> scan(std::string_view begin, const options& limits);

    /// The size of the head with its empty line, or 0 while it is not complete.
    [[nodiscard]] std::size_t head_size() const noexcept { return head_size_; }

private:
    [[nodiscard]] std::optional<refused>
    end_line(std::string_view line, std::size_t end, const options& limits);

    std::size_t line_start_ = 0;
    std::size_t searched_ = 0;
    std::size_t lines_ = 0; // complete ones: the request line, and fields
    std::size_t head_size_ = 0;
};

/// How the body is delimited, and what the head says about the connection.
struct framing {
    std::uint64_t content_length = 0;
    bool chunked = false;
    bool keep_alive = true;
    bool expects_continue = false;
    /// Something that is wrong with the request, but leaves no doubt about its end.
    std::optional<refused> objection;
};

/// Judges a head that Beast took for valid, and fills in `req.path` and `req.query`.
/// @param target the request's target, as sent
/// @return a reason to refuse, or none: then `found` is filled in
[[nodiscard]] std::optional<refused>
check_head(request& req, std::string_view target, const options& limits, framing& found);

/// A chunk's extensions must not hide a line's end in a quoted string.
[[nodiscard]] bool is_sound_chunk_extension(std::string_view extension) noexcept;

/// How to answer a head that Beast did not take.
/// @param request_line the first line, without its end
[[nodiscard]] refused refused_by_parser(boost::system::error_code why, std::string_view request_line);

[[nodiscard]] refused malformed(std::string_view slug, std::string_view detail);
[[nodiscard]] refused body_too_large(const options& limits);
[[nodiscard]] refused bodies_full();
/// @param over of its bytes, or of its fields
[[nodiscard]] refused head_too_large(const options& limits, limit over);

} // namespace trackd::http
