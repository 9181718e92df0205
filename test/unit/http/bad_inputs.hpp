// The table of requests that must not be misread, and how each must be answered: test/bad-inputs.jsonl.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trackd::test {

enum class fate { open, closed };

struct bad_input {
    std::string id; ///< the letter is the group: A request line, B fields, C length, D chunks, E trailers, F
                    ///< connection
    std::string bytes;
    std::string
        expect; ///< `400/413 close`: statuses, `/` between alternatives, `,` between answers, `-` for none
    std::string why;
    bool half_close = false; ///< the client shuts down its sending side after the bytes

    /// Whether the client stalls, so that only a timeout ends it.
    [[nodiscard]] bool stalls() const { return expect.starts_with("408"); }

    [[nodiscard]] bool as_expected(const std::vector<int>& statuses, fate end) const;

    /// How many answers there are, 1xx included.
    [[nodiscard]] std::size_t answers() const;
};

/// The lines whose id begins with one of these letters.
[[nodiscard]] std::vector<bad_input> load_bad_inputs(std::string_view groups);

} // namespace trackd::test
