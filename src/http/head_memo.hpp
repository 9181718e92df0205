// Heads that were read before: a client sends the same one with every request, but for its Content-Length.
#pragma once

#include "http/framing.hpp"
#include "http/options.hpp"
#include "http/request.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace trackd::http {

/// Knows the latest few heads that were found sound, and what reading them gave. To be recalled, a head must be the same
/// byte for byte, except for the digits of its Content-Length. Used by one thread.
class head_memo {
public:
    head_memo() = default;
    head_memo(const head_memo&) = delete;
    head_memo& operator=(const head_memo&) = delete;

    /// Fills in what reading the next head would: of `into` all but what comes with the body or from the router.
    /// @param bytes what has come: they begin with the request line, and may end anywhere
    /// @return the size of the head, with its empty line; 0 if it is not known, or has to be refused: nothing was changed
    [[nodiscard]] std::size_t
    recall(std::string_view bytes, const options& limits, request& into, framing& found);

    /// Remembers a head, unless it is long, asks for more than a body of a known size, or for a word before it.
    /// @param read what reading gave, with views into `head`
    void learn(std::string_view head, const request& read, const framing& found);

private:
    struct entry {
        std::string head;
        request read; // with views into `head`
        std::string_view length_digits{};
        bool keep_alive = true;
    };

    [[nodiscard]] static bool begins(std::string_view bytes, const entry& known) noexcept;

    std::array<entry, 8> known_;
    std::size_t recalled_ = 0; // the latest
    std::size_t oldest_ = 0;   // of those learned
};

} // namespace trackd::http
