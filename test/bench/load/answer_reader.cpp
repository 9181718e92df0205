#include "bench/load/answer_reader.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace trackd::bench {

namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";
constexpr std::size_t largest_head = 16384;

[[noreturn]] void refuse(std::string_view what, std::string_view where) {
    throw std::runtime_error{std::string{what} + " in an answer: " + std::string{where.substr(0, 200)}};
}

template <typename Number>
Number number_of(std::string_view text, std::string_view head) {
    Number number{};
    const auto* end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || stopped != end) refuse("no number where there should be one", head);
    return number;
}

/// The value of a field's line, if it is this field's.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
    if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
    if (!base::equal_ignoring_case(line.substr(0, name.size()), name)) return std::nullopt;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line.substr(0, line.find_last_not_of(" \t") + 1);
}

} // namespace

std::optional<int> answer_reader::next(std::string_view& bytes) {
    for (;;) {
        if (status_ == 0) {
            const auto head = take_head(bytes);
            if (!head) return std::nullopt;
            read_head(*head);
            part_.clear();
        }
        const auto taken = std::min(body_left_, bytes.size());
        bytes.remove_prefix(taken);
        body_left_ -= taken;
        if (body_left_ > 0) return std::nullopt;
        if (const auto status = std::exchange(status_, 0); status >= 200) return status;
    }
}

/// @return a head with its empty line; nothing while it is not complete
std::optional<std::string_view> answer_reader::take_head(std::string_view& bytes) {
    const auto known = part_.size();
    if (known == 0) { // the usual: it comes as a whole, and is read where it is
        if (const auto end = bytes.find(end_of_head); end != bytes.npos) {
            const auto head = bytes.substr(0, end + end_of_head.size());
            bytes.remove_prefix(head.size());
            return head;
        }
    }
    part_ += bytes;
    const auto end = part_.find(end_of_head);
    if (std::min(end, part_.size()) > largest_head) refuse("a head that does not end", part_);
    if (end == part_.npos) {
        bytes = {};
        return std::nullopt;
    }
    part_.resize(end + end_of_head.size());
    bytes.remove_prefix(part_.size() - known);
    return part_;
}

void answer_reader::read_head(std::string_view head) {
    if (!head.starts_with("HTTP/1.1 ") || head.size() < 15) refuse("no status line", head);
    status_ = number_of<int>(head.substr(9, 3), head);
    if (status_ < 100 || status_ > 599) refuse("no status", head);
    std::optional<std::size_t> length;
    for (auto at = head.find("\r\n") + 2; at + 2 < head.size(); at = head.find("\r\n", at) + 2) {
        const auto line = head.substr(at, head.find("\r\n", at) - at);
        if (const auto value = value_of(line, "content-length"))
            length = number_of<std::size_t>(*value, head);
        if (value_of(line, "transfer-encoding")) refuse("a Transfer-Encoding, which is not read,", head);
    }
    const bool has_body = status_ >= 200 && status_ != 204 && status_ != 304;
    if (has_body && !length) refuse("no Content-Length", head);
    body_left_ = has_body ? *length : 0;
}

} // namespace trackd::bench
