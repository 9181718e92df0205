// What PostgreSQL's errors mean for a sink: whose fault they are, and what an operator can do about them.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trackd::sinks {

/// What the server answered instead of doing it.
class postgres_error : public std::runtime_error {
public:
    postgres_error(std::string_view code, const std::string& text)
        : std::runtime_error{text}, sqlstate{code} {}

    std::string sqlstate;      ///< five letters and digits
    std::string column;        ///< the one that it is about, if the server names one
    std::size_t statement = 0; ///< the index, among those that were sent together, of the one that failed
};

/// Whether it is the rows that the server does not take, and not its state: those of the batch, whenever they come.
[[nodiscard]] bool is_about_rows(std::string_view sqlstate) noexcept;

/// The same, but not for a column that the sink does not write: no event can have a value for it.
[[nodiscard]] bool is_about_rows(const postgres_error& error) noexcept;

/// Whether another session may succeed where this one failed: the server ends, is read-only, out of resources or damaged.
[[nodiscard]] bool is_about_session(std::string_view sqlstate) noexcept;

/// Whether COPY cannot do it where INSERT … ON CONFLICT may.
[[nodiscard]] bool is_about_copy(std::string_view sqlstate) noexcept;

/// What an operator can do about it; empty, if it is nothing that we know.
[[nodiscard]] std::string_view postgres_advice(std::string_view sqlstate) noexcept;

/// `WHERE: TEXT (SQLSTATE CODE); ADVICE`.
[[nodiscard]] std::string
format_postgres_error(const std::string& where, std::string_view text, std::string_view sqlstate);

/// A text of libpq or of the server on one line: each run of blanks and control characters is one blank.
[[nodiscard]] std::string on_one_line(std::string_view text);

/// The same without what stands in quotes, which may be a part of a password that was not quoted.
[[nodiscard]] std::string without_quoted(std::string_view text);

} // namespace trackd::sinks
