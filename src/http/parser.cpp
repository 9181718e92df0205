// See parser.hpp.
#include "http/parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

namespace trackd::http {

namespace {

namespace beast_http = boost::beast::http;

// One chunk's size line with its extensions, and all trailers together, may be as long as this.
constexpr std::size_t max_chunk_line = 8U * 1024U;

// Beside a head and what is left over of a chunk there shall be room for much to arrive at once.
constexpr std::size_t input_bytes(const options& limits) {
    return limits.max_head_bytes + 2 * max_chunk_line;
}

// A body's own buffer may be as large without being charged: enough for what usually comes in chunks, and little enough
// to be had by every connection.
constexpr std::size_t free_body_bytes = 8U * 1024U;

// A sender of one-byte chunks must not make us read for ever.
constexpr std::uint64_t max_wire_bytes(const options& limits) {
    return 2 * limits.max_body_bytes + 64U * 1024U;
}

refused with_close(refused why) {
    why.close = true;
    return why;
}

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

} // namespace

void parser::beast_parser::on_request_impl(verb method, text name, text target, int version, error_code&) {
    owner_.request_.method = method;
    owner_.request_.method_text = view(name);
    owner_.request_.http_1_0 = version == 10;
    owner_.target_ = view(target);
}

void parser::beast_parser::on_field_impl(field id, text name, text value, error_code&) {
    if (owner_.stage_ != stage::head) return; // a trailer
    owner_.request_.headers.push_back({id, view(name), view(value)});
}

void parser::beast_parser::on_chunk_header_impl(std::uint64_t, text extension, error_code& error) {
    owner_.at_chunk_line_ = true;
    if (!is_sound_chunk_extension(view(extension))) error = beast_http::error::bad_chunk_extension;
}

std::size_t parser::beast_parser::on_chunk_body_impl(std::uint64_t, text data, error_code& error) {
    if (!owner_.make_room(owner_.body_.size() + data.size())) {
        error = beast_http::error::buffer_overflow;
        return 0;
    }
    owner_.body_.append(view(data));
    return data.size();
}

parser::parser(const options& limits, head_memo& known)
    : limits_(limits), known_(known), input_(input_bytes(limits)), held_(limits.bodies) {}

std::span<char> parser::space() {
    if (stage_ == stage::body && body_.size() > 0) {
        return body_.free().first(static_cast<std::size_t>(framing_.content_length) - body_.size());
    }
    if (stage_ == stage::head && begin_ > 0) move_to_front();
    return input_.free();
}

void parser::received(std::size_t n) {
    const bool into_body = stage_ == stage::body && body_.size() > 0;
    (into_body ? body_ : input_).grew(n);
    if (in_body()) body_bytes_ += n;
}

parser::progress parser::advance() {
    switch (stage_) {
    case stage::head: return read_head();
    case stage::body: return read_body();
    case stage::chunks: return read_chunks();
    case stage::ready: return progress::ready;
    case stage::refused: break;
    }
    return progress::refused;
}

parser::progress parser::refuse(refused why) {
    refusal_ = std::move(why);
    stage_ = stage::refused;
    return progress::refused;
}

// RFC 9112 section 2.2: an empty line before a request should be ignored. We ignore two.
void parser::skip_empty_lines() {
    while (empty_lines_ < 2 && input_.view().substr(begin_).starts_with("\r\n")) {
        begin_ += 2;
        ++empty_lines_;
    }
}

parser::progress parser::read_head() {
    skip_empty_lines();
    const auto bytes = input_.view().substr(begin_);
    if (empty_lines_ < 2 && bytes == "\r") return progress::need_more;
    request_.parameter = {};
    request_.client = nullptr;
    request_.caller.reset();
    head_size_ = known_.recall(bytes, limits_, request_, framing_);
    if (head_size_ == 0) {
        if (auto wrong = scanner_.scan(bytes, limits_)) return refuse(std::move(*wrong));
        head_size_ = scanner_.head_size();
        if (head_size_ == 0) return progress::need_more;
        const auto head = bytes.substr(0, head_size_);
        if (auto wrong = parse_head(head)) return refuse(std::move(*wrong));
        known_.learn(head, request_, framing_);
    }
    has_fields_ = true;
    if (framing_.expects_continue && framing_.objection)
        return refuse(with_close(std::move(*framing_.objection)));
    head_is_new_ = !framing_.objection;
    unread_ = begin_ + head_size_;
    body_bytes_ = input_.size() - unread_;
    if (framing_.chunked) {
        beast_->body_limit(limits_.max_body_bytes);
        if (begin_ > 0) move_to_front();
        stage_ = stage::chunks;
        return read_chunks();
    }
    stage_ = stage::body;
    return read_body();
}

std::optional<refused> parser::parse_head(std::string_view head) {
    boost::system::error_code error;
    beast_.emplace(*this);
    request_.headers.clear();
    beast_->put(boost::asio::buffer(head.data(), head.size()), error);
    if (error) return refused_by_parser(error, head.substr(0, head.find('\r')));
    has_fields_ = true;
    framing_ = {};
    return check_head(request_, target_, limits_, framing_);
}

parser::progress parser::read_body() {
    const auto length = static_cast<std::size_t>(framing_.content_length);
    if (body_.size() > 0) { // the rest comes straight into it
        if (body_.size() < length) return progress::need_more;
        request_.body = body_.view();
        return finish();
    }
    const auto here = unread();
    if (here.size() >= length) {
        request_.body = here.substr(0, length);
        unread_ += length;
        return finish();
    }
    const bool fits = input_.capacity() - unread_ >= length;
    if (!fits && !may_hold(length)) return refuse(bodies_full());
    if (!fits && !here.empty()) {
        body_.reserve(length);
        body_.append(here);
        input_.resize_down(unread_);
    } else if (!fits && begin_ > 0) {
        move_to_front();
    }
    return progress::need_more;
}

parser::progress parser::read_chunks() {
    while (unread_ < input_.size()) {
        const auto here = unread();
        boost::system::error_code error;
        at_chunk_line_ = false;
        const auto taken = beast_->put(boost::asio::buffer(here.data(), here.size()), error);
        unread_ += taken;
        if (error == beast_http::error::need_more) {
            if (auto wrong = judge_chunk_line(here.size() - taken)) return refuse(std::move(*wrong));
            break;
        }
        if (error == beast_http::error::buffer_overflow) return refuse(bodies_full());
        if (error == beast_http::error::body_limit) return refuse(body_too_large(limits_));
        if (error) return refuse(malformed("bad-chunk", "The body's chunked transfer coding is malformed."));
        if (at_chunk_line_) {
            if (auto wrong = judge_chunk_line(taken)) return refuse(std::move(*wrong));
        }
        if (beast_->is_done()) {
            body_bytes_ -= input_.size() - unread_;
            request_.body = body_.view();
            return finish();
        }
    }
    if (body_bytes_ > max_wire_bytes(limits_)) return refuse(body_too_large(limits_));
    // Only the part of a line that is not complete stays.
    const auto head_end = begin_ + head_size_;
    const auto rest = unread();
    std::memmove(input_.data() + head_end, rest.data(), rest.size());
    input_.resize_down(head_end + rest.size());
    unread_ = head_end;
    return progress::need_more;
}

std::optional<refused> parser::judge_chunk_line(std::size_t size) const {
    if (size <= max_chunk_line) return {};
    return malformed(
        "chunk-line-too-long",
        "Expected chunk extensions and trailers of at most " + std::to_string(max_chunk_line) + " bytes."
    );
}

parser::progress parser::finish() {
    if (framing_.objection) return refuse(std::move(*framing_.objection));
    stage_ = stage::ready;
    return progress::ready;
}

void parser::next() {
    begin_ = unread_;
    if (begin_ == input_.size()) {
        begin_ = 0;
        input_.clear();
    }
    body_.clear();
    body_.shrink(free_body_bytes);
    held_.release();
    body_bytes_ = 0;
    stage_ = stage::head;
    empty_lines_ = 0;
    scanner_ = {};
    head_size_ = 0;
    framing_ = {};
    request_.path = request_.query = {}; // nothing is known of the next one, and it may be refused unseen
    has_fields_ = false;
    head_is_new_ = false;
    refusal_.reset();
}

// Makes room behind the current request. Nobody but ourselves has seen its views yet.
void parser::move_to_front() {
    const std::less_equal<> before; // a path may also be a literal, somewhere else
    std::memmove(input_.data(), input_.data() + begin_, input_.size() - begin_);
    const auto shift = [&](std::string_view& text) {
        const bool inside =
            before(input_.data(), text.data()) && before(text.data(), input_.data() + input_.capacity());
        if (inside) text = {text.data() - begin_, text.size()};
    };
    if (head_size_ > 0) {
        for (auto* text : {&request_.method_text, &request_.path, &request_.query})
            shift(*text);
        for (auto& each : request_.headers) {
            shift(each.name);
            shift(each.value);
        }
        unread_ -= begin_;
    }
    input_.resize_down(input_.size() - begin_);
    begin_ = 0;
}

bool parser::may_hold(std::size_t bytes) {
    return bytes <= free_body_bytes || held_.grow_to(bytes);
}

// For a body whose size only its end will tell: with some to spare.
bool parser::make_room(std::size_t bytes) {
    if (bytes <= body_.capacity()) return true;
    const auto capacity = std::max(bytes, std::min(2 * body_.capacity(), limits_.max_body_bytes));
    if (!may_hold(capacity)) return false;
    body_.reserve(capacity);
    return true;
}

void parser::reset() {
    input_.clear();
    request_.client = nullptr;
    request_.caller.reset();
    unread_ = 0;
    next();
}

} // namespace trackd::http
