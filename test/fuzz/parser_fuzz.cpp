// Fuzzes what reads requests off a connection: however their bytes are cut into pieces, the same requests must come out,
// and the same refusal.
#include "http/parser.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace trackd::http;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "parser_fuzz: does not hold: %s\n", what);
    std::abort();
}

options small_limits() {
    options limits;
    limits.max_head_bytes = 1024;
    limits.max_fields = 10;
    limits.max_body_bytes = 4096;
    return limits;
}

void require_sound(const request& req) {
    require(!req.path.empty() && (req.path.front() == '/' || req.path == "*"), "a path begins with a slash");
    require(req.headers.size() <= 10, "there are no more fields than allowed");
    require(req.body.size() <= 4096, "a body keeps its limit");
    for (const auto& field : req.headers) {
        require(!field.name.empty(), "a field has a name");
        for (const auto text : {field.name, field.value})
            require(
                text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos,
                "a field is one line"
            );
    }
    std::string padding{req.body.data(), req.body.size() + request::body_padding}; // can be read
}

std::string in_words(const request& req, bool keep_alive) {
    auto text = std::string{req.method_text}.append(" ").append(req.path).append("?").append(req.query);
    for (const auto& field : req.headers)
        text.append("\n").append(field.name).append(": ").append(field.value);
    return text.append(keep_alive ? "\n+\n" : "\n-\n").append(req.body);
}

// All that one connection brings, until it is over.
std::vector<std::string> read_all(std::string_view bytes, std::size_t piece, head_memo& heads) {
    static const auto limits = small_limits();
    std::vector<std::string> seen;
    parser in{limits, heads};
    for (std::size_t steps = 0;; ++steps) {
        require(steps < 100'000, "reading ends");
        const auto progress = in.advance();
        if (progress == parser::progress::need_more) {
            const auto room = in.space();
            require(!room.empty(), "there is room for more");
            const auto more = std::min({room.size(), bytes.size(), piece});
            if (more == 0) return seen;
            std::memcpy(room.data(), bytes.data(), more);
            bytes.remove_prefix(more);
            in.received(more);
            continue;
        }
        if (progress == parser::progress::refused) {
            const auto& why = in.refusal();
            seen.push_back(
                "refused " + std::to_string(static_cast<unsigned>(why.code)) + std::string{why.slug}
            );
            if (why.close) return seen;
        } else {
            require_sound(in.current());
            const auto* const expects = in.take_expectation() ? "expecting " : "";
            seen.push_back(expects + in_words(in.current(), in.keep_alive()));
            if (!in.keep_alive()) return seen;
        }
        in.next();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{
        reinterpret_cast<const char*>(data), size
    }; // NOLINT: libFuzzer's bytes as ours
    head_memo heads;
    const auto whole = read_all(bytes, bytes.size() + 1, heads);
    require(read_all(bytes, bytes.size() + 1, heads) == whole, "what is known reads as it did");
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size() / 2 + 1}) {
        head_memo empty;
        require(read_all(bytes, piece, empty) == whole, "pieces read as the whole does");
    }
    return 0;
}
