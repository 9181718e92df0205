#include "intake/header_checks.hpp"

#include "base/ascii.hpp"
#include "intake/text.hpp"

namespace trackd::intake {

std::optional<refusal> check_encoding(const http::request& req) {
    const auto coding = req.header(http::field::content_encoding);
    if (coding.empty() || base::equal_ignoring_case(coding, "identity")) return std::nullopt;
    return refusal{
        refusal_kind::unsupported_encoding,
        "Content-Encoding is " + quoted(coding) + "; expected none: compressed bodies are not read"
    };
}

} // namespace trackd::intake
