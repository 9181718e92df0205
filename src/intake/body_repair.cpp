#include "intake/body_repair.hpp"

#include "http/request.hpp"
#include "intake/body_format.hpp"
#include "intake/json_body.hpp"
#include "intake/json_fault.hpp"
#include "intake/text.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace trackd::intake {

namespace {

constexpr std::size_t escape_bytes = 6; // \uXXXX

/// The code unit of the escape `\uXXXX` at the front of `text`; none if there is no such escape.
std::optional<unsigned> escaped_unit(std::string_view text) noexcept {
    if (text.size() < escape_bytes || !text.starts_with("\\u")) return std::nullopt;
    unsigned unit = 0;
    const char* const end = text.data() + escape_bytes;
    const auto [stop, error] = std::from_chars(text.data() + 2, end, unit, 16);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return unit;
}

bool is_high_surrogate(std::optional<unsigned> unit) noexcept {
    return unit && *unit >= 0xd800 && *unit <= 0xdbff;
}

bool is_low_surrogate(std::optional<unsigned> unit) noexcept {
    return unit && *unit >= 0xdc00 && *unit <= 0xdfff;
}

/// Copies the escape at the front of `text`, or its replacement.
/// @return how many bytes of `text` it takes
std::size_t copy_escape(std::string_view text, std::string& out) {
    const auto unit = escaped_unit(text);
    auto size = unit ? escape_bytes : std::size_t{2};
    if (is_high_surrogate(unit) && is_low_surrogate(escaped_unit(text.substr(escape_bytes)))) {
        size += escape_bytes;
    } else if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
        out += "\\ufffd";
        return size;
    }
    const auto escape = text.substr(0, size); // which may be cut short
    out += escape;
    return escape.size();
}

/// Walks a text that may not be JSON: strings and the nesting of brackets only.
class loose_cursor {
public:
    explicit loose_cursor(std::string_view text) noexcept : text_{text} {}

    [[nodiscard]] std::size_t offset() const noexcept { return at_; }

    /// Passes blanks, and then this character if it comes next.
    bool pass(char wanted) noexcept {
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    /// Passes blanks and a string.
    /// @return what is between its quotes; none if there is no string
    std::optional<std::string_view> string() noexcept {
        if (!pass('"')) return std::nullopt;
        const auto begin = at_;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') return text_.substr(begin, at_++ - begin);
            if (text_[at_] == '\\') ++at_;
        }
        return std::nullopt;
    }

    /// Passes blanks and whatever comes before the next comma or closing bracket of this level.
    /// @return what was passed, without the blanks around it; none if the text ends before that
    std::optional<std::string_view> value() noexcept {
        skip_blanks();
        const auto begin = at_;
        for (std::size_t depth = 0; at_ < text_.size();) {
            const char c = text_[at_];
            if (c == '"') {
                if (!string()) return std::nullopt;
                continue;
            }
            const bool closes = c == '}' || c == ']';
            if (depth == 0 && (closes || c == ',')) return trimmed(text_.substr(begin, at_ - begin));
            if (c == '{' || c == '[') ++depth;
            if (closes) --depth;
            ++at_;
        }
        return std::nullopt;
    }

    bool at_character(char wanted) noexcept {
        skip_blanks();
        return at_ < text_.size() && text_[at_] == wanted;
    }

private:
    void skip_blanks() noexcept {
        while (at_ < text_.size() && json_blanks.find(text_[at_]) != std::string_view::npos)
            ++at_;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// The value of the last member `batch` of the object, if it is an array.
std::optional<std::string_view> find_batch(std::string_view text) noexcept {
    std::optional<std::string_view> batch;
    loose_cursor at{text};
    if (!at.pass('{')) return std::nullopt;
    do {
        const auto name = at.string();
        if (!name || !at.pass(':')) return std::nullopt;
        const auto value = at.value();
        if (!value) return std::nullopt;
        if (*name == "batch") batch = value;
    } while (at.pass(','));
    if (!at.pass('}') || !batch || !batch->starts_with('[')) return std::nullopt;
    return batch;
}

} // namespace

std::string with_valid_characters(std::string_view text) {
    std::string out;
    out.reserve(text.size() + http::request::body_padding);
    while (!text.empty()) {
        std::size_t size = 1;
        if (text.front() == '\\') {
            size = copy_escape(text, out);
        } else if (static_cast<unsigned char>(text.front()) < 0x80) {
            out += text.front();
        } else if (const auto bytes = utf8_sequence(text); bytes > 0) {
            out += text.substr(0, size = bytes);
        } else {
            out += "\xef\xbf\xbd";
        }
        text.remove_prefix(size);
    }
    return out;
}

bool body_repair::repair(std::string_view body, std::size_t max_calls, json_document& document) {
    broken_calls_.clear();
    text_ = with_valid_characters(without_byte_order_mark(body));
    pad();
    if (!parse_object(text(), document)) return true;
    return remove_broken_calls(max_calls) && !parse_object(text(), document);
}

std::string_view body_repair::text() const noexcept {
    return std::string_view{text_}.substr(0, text_.size() - http::request::body_padding);
}

void body_repair::clear(std::size_t usual_bytes) {
    broken_calls_.clear();
    if (text_.capacity() > usual_bytes) std::string{}.swap(text_);
}

bool body_repair::remove_broken_calls(std::size_t max_calls) {
    constexpr std::size_t around_a_call = 2; // the body's object and the array
    const auto before = text();
    const auto calls = find_batch(before);
    if (!calls) return false;
    std::string repaired{before.substr(0, static_cast<std::size_t>(calls->data() - before.data()))};
    repaired += '[';
    loose_cursor at{*calls};
    bool more = at.pass('[') && !at.at_character(']');
    for (std::size_t index = 0; more; ++index) {
        if (index == max_calls) return false;
        const auto call = at.value();
        if (!call) return false;
        if (index > 0) repaired += ',';
        if (const auto fault = find_json_fault(*call, around_a_call)) {
            broken_calls_.push_back({index, invalid_json(*fault, *call)});
            repaired += "null";
        } else {
            repaired += *call;
        }
        more = at.pass(',');
    }
    repaired += before.substr(static_cast<std::size_t>(calls->data() + calls->size() - before.data()) - 1);
    text_ = std::move(repaired);
    pad();
    return !broken_calls_.empty();
}

void body_repair::pad() {
    text_.append(http::request::body_padding, ' ');
}

} // namespace trackd::intake
