// One JSON text, checked as a whole, and then walked without being built up in memory.
#pragma once

#include "intake/json_cursor.hpp"
#include "intake/json_fault.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace simdjson::dom {
class parser;
}

namespace trackd::intake {

/// simdjson's parser finds all tokens of a text and then checks them; this keeps the first for the walk.
/// Keeps its memory from text to text. Confined to one thread.
class json_document {
public:
    json_document();
    ~json_document();
    json_document(const json_document&) = delete;
    json_document& operator=(const json_document&) = delete;

    /// Checks by the rules of `find_json_fault`.
    /// @param text under 4 GiB; at least 64 bytes behind its end can be read, whatever they are. It is not
    /// copied.
    /// @return what is wrong with it
    [[nodiscard]] std::optional<json_fault> parse(std::string_view text);

    /// Checks texts that stand one behind the other, more quickly than one by one.
    /// @param texts as for `parse`
    /// @return how many there are; 0 if there is none, or one that `parse` might refuse
    [[nodiscard]] std::size_t parse_all(std::string_view texts);

    /// The beginning of what was last found good; valid until the next `parse`, `parse_all` or `release`.
    /// From the end of one of several texts the cursor goes on to the next.
    [[nodiscard]] json_cursor root() const noexcept;

    /// Gives memory back if the texts were far larger than usual.
    void release();

private:
    std::unique_ptr<simdjson::dom::parser> parser_;
    std::string_view text_;
};

} // namespace trackd::intake
