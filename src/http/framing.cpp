// See framing.hpp. The rules are those of RFC 9112; where it leaves a choice, the stricter one.
#include "http/framing.hpp"

#include "base/ascii.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace trackd::http {

namespace {

namespace beast_http = boost::beast::http;

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr bool is_hex_digit(char c) noexcept {
    return is_digit(c) || (base::to_lower(c) >= 'a' && base::to_lower(c) <= 'f');
}

constexpr bool is_alphanumeric(char c) noexcept {
    return is_digit(c) || (base::to_lower(c) >= 'a' && base::to_lower(c) <= 'z');
}

constexpr bool is_token_char(char c) noexcept {
    return is_alphanumeric(c) ||
           (c != '\0' && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos);
}

constexpr bool is_visible_ascii(char c) noexcept {
    return c > ' ' && c < '\x7f';
}

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool all_digits(std::string_view text) noexcept {
    return std::ranges::all_of(text, is_digit);
}

// RFC 3986: uri-host [ ":" port ], but no comma, which in a Host field would rather be a list.
bool is_host_and_port(std::string_view text) noexcept {
    std::size_t end = 0;
    if (text.starts_with('[')) {
        end = text.find(']');
        if (end == std::string_view::npos || end == 1) return false;
        const auto literal = text.substr(1, end - 1);
        const auto allowed = [](char c) {
            return is_hex_digit(c) || c == ':' || c == '.' || base::to_lower(c) == 'v';
        };
        if (!std::ranges::all_of(literal, allowed)) return false;
        ++end;
    } else {
        const auto allowed = [](char c) {
            return is_alphanumeric(c) ||
                   (c != '\0' && std::string_view{"-._~%!$&'()*+;="}.find(c) != std::string_view::npos);
        };
        while (end < text.size() && allowed(text[end]))
            ++end;
    }
    if (end == text.size()) return true;
    return text[end] == ':' && all_digits(text.substr(end + 1));
}

refused bad_host() {
    return malformed("bad-host", "Expected one Host field with a host name or address, and perhaps a port.");
}

refused bad_target() {
    return malformed(
        "bad-target", "Expected a target that begins with / and holds visible ASCII characters, but no #."
    );
}

// absolute-form: `http://host:port/path`. Leaves the path and query in `target`; RFC 9112 section 3.2.2.
bool strip_authority(std::string_view& target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!base::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        target.remove_prefix(scheme.size());
        const auto authority = target.substr(0, target.find_first_of("/?"));
        target.remove_prefix(authority.size());
        return !authority.empty() && is_host_and_port(authority);
    }
    return false;
}

bool split_target(request& req, std::string_view target) {
    if (target.find('#') != std::string_view::npos || !std::ranges::all_of(target, is_visible_ascii))
        return false;
    if (target == "*") {
        req.path = target;
        return req.method == verb::options;
    }
    if (!target.starts_with('/') && !strip_authority(target)) return false;
    const auto question = target.find('?');
    req.path = target.substr(0, question);
    if (req.path.empty()) req.path = "/";
    req.query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
    return true;
}

std::optional<refused>
check_transfer_coding(const request& req, std::string_view value, int fields, bool has_length) {
    if (fields > 1 || has_length || req.http_1_0) {
        return malformed(
            "bad-transfer-encoding",
            "Expected one Transfer-Encoding field, without Content-Length, and in HTTP/1.1 only."
        );
    }
    if (base::equal_ignoring_case(value, "chunked")) return {};
    const auto last_comma = value.rfind(',');
    const bool coded_and_chunked = last_comma != std::string_view::npos &&
                                   base::equal_ignoring_case(trim(value.substr(last_comma + 1)), "chunked") &&
                                   !trim(value.substr(0, last_comma)).empty();
    if (coded_and_chunked) {
        return refused{
            status::not_implemented, refusal::transfer_coding, "unknown-transfer-coding",
            "The only transfer coding understood here is chunked."
        };
    }
    return malformed("bad-transfer-encoding", "Expected Transfer-Encoding: chunked, and nothing else.");
}

std::optional<refused>
check_length(std::string_view value, int fields, const options& limits, framing& found) {
    if (fields > 1 || value.empty() || !all_digits(value)) {
        return malformed(
            "bad-content-length", "Expected one Content-Length field, with decimal digits only."
        );
    }
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), found.content_length);
    if (parsed.ec != std::errc{} || found.content_length > limits.max_body_bytes)
        return body_too_large(limits);
    return {};
}

// Fields of which there may be one, because they decide what is stored, or for whom.
enum singleton { content_type, authorization, content_encoding, api_key, idempotency_key, singletons };

singleton singleton_of(const request::header_field& each) {
    switch (each.id) {
    case field::content_type: return content_type;
    case field::authorization: return authorization;
    case field::content_encoding: return content_encoding;
    case field::unknown:
        if (base::equal_ignoring_case(each.name, "X-Api-Key")) return api_key;
        if (base::equal_ignoring_case(each.name, "Idempotency-Key")) return idempotency_key;
        return singletons;
    default: return singletons;
    }
}

// What the fields say that matter to a connection.
struct summary {
    int hosts = 0;
    int lengths = 0;
    int transfer_encodings = 0;
    std::string_view host;
    std::string_view length;
    std::string_view transfer_encoding;
    std::string_view expect;
    bool close = false;
    bool keep_alive = false;
    bool doubled = false;
};

summary summarise(const request& req) {
    summary sum;
    bool seen[singletons] = {};
    for (const auto& each : req.headers) {
        switch (each.id) {
        case field::host: ++sum.hosts, sum.host = each.value; break;
        case field::content_length: ++sum.lengths, sum.length = each.value; break;
        case field::transfer_encoding: ++sum.transfer_encodings, sum.transfer_encoding = each.value; break;
        case field::expect: sum.expect = each.value; break;
        case field::connection:
            sum.close = sum.close || list_has_token(each.value, "close");
            sum.keep_alive = sum.keep_alive || list_has_token(each.value, "keep-alive");
            break;
        default:
            if (const auto which = singleton_of(each); which != singletons) {
                sum.doubled = sum.doubled || seen[which];
                seen[which] = true;
            }
        }
    }
    return sum;
}

} // namespace

bool list_has_token(std::string_view list, std::string_view token) noexcept {
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto item = list.substr(0, comma);
        if (base::equal_ignoring_case(trim(item.substr(0, item.find(';'))), token)) return true;
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
    return false;
}

std::optional<refused> head_scanner::scan(std::string_view bytes, const options& limits) {
    if (bytes.empty()) return {};
    if (!is_token_char(bytes.front())) {
        return malformed(
            "bad-request-line", "Expected a method at the beginning of the request, as HTTP/1.1 has it."
        );
    }
    while (head_size_ == 0 && searched_ < bytes.size()) {
        const auto* feed =
            static_cast<const char*>(std::memchr(bytes.data() + searched_, '\n', bytes.size() - searched_));
        if (feed == nullptr) {
            searched_ = bytes.size();
            break;
        }
        const auto at = static_cast<std::size_t>(feed - bytes.data());
        if (at == line_start_ || bytes[at - 1] != '\r') {
            return malformed("bad-line-ending", "Expected every line of the head to end in CR LF.");
        }
        if (auto wrong = end_line(bytes.substr(line_start_, at - 1 - line_start_), at + 1, limits))
            return wrong;
        line_start_ = searched_ = at + 1;
    }
    if (head_size_ == 0 && bytes.size() > limits.max_head_bytes) return end_line({}, bytes.size(), limits);
    return {};
}

// A line ends at `end`, or grows beyond it.
std::optional<refused> head_scanner::end_line(std::string_view line, std::size_t end, const options& limits) {
    if (end > limits.max_head_bytes) {
        if (lines_ > 0) return head_too_large(limits, limit::max_head_bytes);
        return refused{
            .code = status::uri_too_long,
            .reason = refusal::target_too_long,
            .slug = "target-too-long",
            .detail =
                "Expected a request line of at most " + std::to_string(limits.max_head_bytes) + " bytes.",
            .hit = limit::max_head_bytes,
        };
    }
    if (line.empty()) {
        head_size_ = end;
    } else if (lines_ > 0 && (line.front() == ' ' || line.front() == '\t')) {
        return malformed("folded-field", "Expected every header field on one line; folding is obsolete.");
    } else if (++lines_ > limits.max_fields + 1) {
        return head_too_large(limits, limit::header_fields);
    }
    return {};
}

std::optional<refused>
check_head(request& req, std::string_view target, const options& limits, framing& found) {
    if (!split_target(req, target)) return bad_target();
    const auto sum = summarise(req);
    if (sum.hosts > 1 || (sum.hosts == 0 && !req.http_1_0) || !is_host_and_port(sum.host)) return bad_host();
    if (sum.transfer_encodings > 0) {
        found.chunked = true;
        auto wrong =
            check_transfer_coding(req, sum.transfer_encoding, sum.transfer_encodings, sum.lengths > 0);
        if (wrong) return wrong;
    } else if (sum.lengths > 0) {
        if (auto wrong = check_length(sum.length, sum.lengths, limits, found)) return wrong;
    }
    found.keep_alive = !sum.close && (!req.http_1_0 || sum.keep_alive);
    if (!sum.expect.empty() && !req.http_1_0) {
        if (!base::equal_ignoring_case(sum.expect, "100-continue")) {
            return refused{
                status::expectation_failed, refusal::expectation, "unknown-expectation",
                "The only expectation understood here is 100-continue."
            };
        }
        found.expects_continue = found.chunked || found.content_length > 0;
    }
    if (sum.doubled) {
        found.objection = malformed(
            "field-given-twice", "Content-Type, Content-Encoding, Authorization, X-Api-Key and "
                                 "Idempotency-Key may be given once each."
        );
        found.objection->close = false;
    }
    return {};
}

bool is_sound_chunk_extension(std::string_view extension) noexcept {
    return std::ranges::none_of(extension, [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
    });
}

refused refused_by_parser(boost::system::error_code why, std::string_view request_line) {
    using beast_http::error;
    if (why == error::bad_method) return malformed("bad-request-line", "The method is no token.");
    if (why == error::bad_target) return bad_target();
    if (why == error::bad_version) {
        const auto version = request_line.substr(request_line.rfind(' ') + 1);
        if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
            version[6] == '.' && is_digit(version[7])) {
            return refused{
                status::http_version_not_supported, refusal::version, "unsupported-version",
                "Expected HTTP/1.1 or HTTP/1.0."
            };
        }
        return malformed("bad-request-line", "Expected the request line to end in HTTP/1.1 or HTTP/1.0.");
    }
    if (why == error::bad_field) return malformed("bad-field-name", "A header field's name is no token.");
    if (why == error::bad_value)
        return malformed("bad-field-value", "A header field's value is not allowed.");
    if (why == error::bad_line_ending) {
        return malformed("bad-line-ending", "Expected every line of the head to end in CR LF.");
    }
    if (why == error::bad_content_length || why == error::multiple_content_length) {
        return malformed(
            "bad-content-length", "Expected one Content-Length field, with decimal digits only."
        );
    }
    if (why == error::bad_transfer_encoding) {
        return malformed(
            "bad-transfer-encoding", "Expected one Transfer-Encoding: chunked, without Content-Length."
        );
    }
    return malformed("malformed-request", "This is no HTTP/1.1 request.");
}

refused malformed(std::string_view slug, std::string_view detail) {
    return {status::bad_request, refusal::malformed, slug, std::string{detail}};
}

refused body_too_large(const options& limits) {
    return {
        .code = status::payload_too_large,
        .reason = refusal::body_too_large,
        .slug = "body-too-large",
        .detail = "Expected a body of at most " + std::to_string(limits.max_body_bytes) + " bytes.",
        .hit = limit::max_body_bytes,
    };
}

refused bodies_full() {
    return {
        .code = status::service_unavailable,
        .reason = refusal::bodies_full,
        .slug = "bodies-full",
        .detail =
            "There is no room for this body beside those that are being read. Nothing of it was stored.",
        .hit = limit::max_bodies_bytes,
    };
}

refused head_too_large(const options& limits, limit over) {
    return {
        .code = status::request_header_fields_too_large,
        .reason = refusal::head_too_large,
        .slug = "head-too-large",
        .detail = "Expected at most " + std::to_string(limits.max_fields) + " header fields, and at most " +
                  std::to_string(limits.max_head_bytes) + " bytes of request line and fields.",
        .hit = over,
    };
}

} // namespace trackd::http
