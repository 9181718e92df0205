// See head_memo.hpp.
#include "http/head_memo.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>

namespace trackd::http {

namespace {

constexpr std::size_t longest_head = 2048;

// Takes the same time wherever they differ: there may be somebody else's key in a head.
bool equal(const char* one, const char* other, std::size_t size) noexcept {
    std::uint64_t difference = 0;
    for (; size >= sizeof difference; size -= sizeof difference) {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
        std::memcpy(&a, one, sizeof a);
        std::memcpy(&b, other, sizeof b);
        difference |= a ^ b;
        one += sizeof a;
        other += sizeof b;
    }
    for (; size > 0; --size)
        difference |= static_cast<std::uint64_t>(static_cast<unsigned char>(*one++ ^ *other++));
    return difference == 0;
}

bool lies_in(std::string_view part, std::string_view whole) noexcept {
    const std::less_equal<> before;
    return before(whole.data(), part.data()) &&
           before(part.data() + part.size(), whole.data() + whole.size());
}

// The same part of another text.
std::string_view moved(std::string_view part, std::string_view from, std::string_view to) noexcept {
    return part.empty() ? std::string_view{}
                        : std::string_view{to.data() + (part.data() - from.data()), part.size()};
}

// What is known of a head: everything but what comes with the body, or from the router.
void copy(const request& read, std::string_view from, request& into, std::string_view to) {
    into.method = read.method;
    into.http_1_0 = read.http_1_0;
    into.method_text = moved(read.method_text, from, to);
    into.path = moved(read.path, from, to);
    into.query = moved(read.query, from, to);
    into.headers.resize(read.headers.size());
    std::ranges::transform(read.headers, into.headers.begin(), [&](const request::header_field& each) {
        return request::header_field{each.id, moved(each.name, from, to), moved(each.value, from, to)};
    });
}

} // namespace

bool head_memo::begins(std::string_view bytes, const entry& known) noexcept {
    const auto size = known.head.size();
    if (size == 0 || size > bytes.size()) return false;
    const auto digits = known.length_digits.empty()
                            ? size
                            : static_cast<std::size_t>(known.length_digits.data() - known.head.data());
    const auto behind = digits + known.length_digits.size();
    return equal(known.head.data(), bytes.data(), digits) &&
           equal(known.head.data() + behind, bytes.data() + behind, size - behind);
}

std::size_t head_memo::recall(std::string_view bytes, const options& limits, request& into, framing& found) {
    for (std::size_t i = 0; i < known_.size(); ++i) {
        const auto which = (recalled_ + i) % known_.size();
        const auto& known = known_[which];
        if (!begins(bytes, known)) continue;
        const auto head = bytes.substr(0, known.head.size());
        const auto digits = moved(known.length_digits, known.head, head);
        std::uint64_t length = 0;
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
        if (!digits.empty() && (failure != std::errc{} || end != digits.data() + digits.size())) return 0;
        if (length > limits.max_body_bytes || head.size() > limits.max_head_bytes) return 0;
        copy(known.read, known.head, into, head);
        found = {};
        found.content_length = length;
        found.keep_alive = known.keep_alive;
        recalled_ = which;
        return head.size();
    }
    return 0;
}

void head_memo::learn(std::string_view head, const request& read, const framing& found) {
    if (head.size() > longest_head || found.chunked || found.objection) return;
    if (!read.header(field::expect).empty()) return; // what it means depends on the length, too
    if (!lies_in(read.path, head)) return;           // a target without a path has a literal
    auto& known = known_[oldest_];
    known.read.headers.reserve(read.headers.size()); // from here on nothing is left half done
    known.head = head;
    oldest_ = (oldest_ + 1) % known_.size();
    copy(read, head, known.read, known.head);
    known.length_digits = known.read.header(field::content_length);
    known.keep_alive = found.keep_alive;
}

} // namespace trackd::http
