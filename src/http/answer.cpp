// See answer.hpp.
#include "http/answer.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace trackd::http {

namespace {

// Two digits, or as many as it takes.
void append_number(std::string& out, std::size_t number, std::size_t width = 1) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    const auto length = static_cast<std::size_t>(end - digits.data());
    if (length < width) out.append(width - length, '0');
    out.append(digits.data(), length);
}

void append_status_line(std::string& out, status code) {
    if (code == status::created) { // nearly every answer
        out.append("HTTP/1.1 201 Created\r\n");
        return;
    }
    const auto reason = boost::beast::http::obsolete_reason(code);
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::size_t>(code));
    out.append(" ").append(reason.data(), reason.size()).append("\r\n");
}

bool may_have_body(status code) {
    return code != status::no_content && code != status::not_modified;
}

} // namespace

std::string_view date_line::at(wall_time now) {
    static constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    namespace chrono = std::chrono;
    const auto second = chrono::floor<chrono::seconds>(now);
    if (second == second_ && !text_.empty()) return text_;
    second_ = second;
    const auto day = chrono::floor<chrono::days>(second);
    const chrono::year_month_day date{day};
    const chrono::hh_mm_ss time{second - day};
    text_.assign("Date: ").append(days[chrono::weekday{day}.c_encoding()]).append(", ");
    append_number(text_, static_cast<unsigned>(date.day()), 2);
    text_.append(" ").append(months[static_cast<unsigned>(date.month()) - 1]).append(" ");
    append_number(text_, static_cast<std::size_t>(static_cast<int>(date.year())), 4);
    text_.append(" ");
    append_number(text_, static_cast<std::size_t>(time.hours().count()), 2);
    text_.append(":");
    append_number(text_, static_cast<std::size_t>(time.minutes().count()), 2);
    text_.append(":");
    append_number(text_, static_cast<std::size_t>(time.seconds().count()), 2);
    text_.append(" GMT\r\n");
    return text_;
}

void append_answer(std::string& out, const response& res, std::string_view date, answer_form form) {
    append_status_line(out, res.code);
    out.append(date);
    if (!res.content_type.empty()) out.append("Content-Type: ").append(res.content_type).append("\r\n");
    out.append(res.headers);
    if (form.close) {
        out.append("Connection: close\r\n");
    } else if (form.says_keep_alive) {
        out.append("Connection: keep-alive\r\n");
    }
    if (may_have_body(res.code) && !form.without_length) {
        out.append("Content-Length: ");
        append_number(out, res.body.size());
        out.append("\r\n");
    }
    out.append("\r\n");
    if (may_have_body(res.code) && !form.without_body) out.append(res.body);
}

void add_close(std::string& answer) {
    answer.insert(answer.find("\r\n\r\n") + 2, "Connection: close\r\n");
}

} // namespace trackd::http
