// Answers as bytes.
#pragma once

#include "http/response.hpp"

#include <trackd/wall_time.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace trackd::http {

/// The `Date` field, made anew once a second. One a thread.
class date_line {
public:
    /// @return `Date: Sat, 21 Nov 2026 08:15:30 GMT\r\n`; valid until the next call
    [[nodiscard]] std::string_view at(wall_time now);

private:
    std::chrono::sys_seconds second_{std::chrono::seconds{-1}};
    std::string text_;
};

/// What an answer must say beside what its handler put into it.
struct answer_form {
    bool without_body = false;    ///< it answers a HEAD
    bool without_length = false;  ///< its body ends with the connection
    bool close = false;           ///< the connection is closed after it
    bool says_keep_alive = false; ///< to a client of HTTP/1.0, which would expect it to be closed
};

void append_answer(std::string& out, const response& res, std::string_view date, answer_form form);

/// Has an answer, which is the only one in the text and does not say so yet, say that the connection is closed after it.
void add_close(std::string& answer);

inline constexpr std::string_view continue_answer = "HTTP/1.1 100 Continue\r\n\r\n";

} // namespace trackd::http
