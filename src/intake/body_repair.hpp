// Bodies of analytics clients that are not JSON as a whole: each becomes JSON without the calls that are at fault.
#pragma once

#include "intake/json_document.hpp"
#include "intake/refusal.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::intake {

/// A call of a batch that is not JSON.
struct broken_call {
    std::size_t index = 0;
    refusal reason;
};

/// Keeps the repaired text. Confined to one thread.
class body_repair {
public:
    /// Replaces each half of a surrogate pair, and each byte that is not UTF-8, by U+FFFD. If the body still is not
    /// JSON, replaces each element of its member `batch` that is not JSON by null.
    /// @param body      not JSON
    /// @param max_calls a batch with more calls is not repaired
    /// @param document  stands on the object of `text()` afterwards
    /// @return whether the body could be repaired
    [[nodiscard]] bool repair(std::string_view body, std::size_t max_calls, json_document& document);

    /// The repaired body; at least 64 bytes behind its end can be read.
    [[nodiscard]] std::string_view text() const noexcept;

    /// The calls that became null, by index.
    [[nodiscard]] const std::vector<broken_call>& broken_calls() const noexcept { return broken_calls_; }

    /// Forgets the last body, and gives memory back if it was far larger than usual.
    void clear(std::size_t usual_bytes);

private:
    bool remove_broken_calls(std::size_t max_calls);
    void pad();

    std::string text_; // with the padding
    std::vector<broken_call> broken_calls_;
};

/// The text with U+FFFD for each half of a surrogate pair, escaped or not, and for each byte that is not UTF-8.
[[nodiscard]] std::string with_valid_characters(std::string_view text);

} // namespace trackd::intake
