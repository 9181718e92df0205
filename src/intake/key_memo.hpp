// The keys that were shown last: most clients show theirs with every request, and a hash costs more than all else that is
// done with it.
#pragma once

#include "intake/keys.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Of one I/O thread, and of one ring: to be cleared when another one comes into force. Remembers only keys that there
/// are, as they were shown: in memory they are anyway, in the requests' heads.
class key_memo {
public:
    /// As `ring.find`, and in constant time for texts of the same length.
    [[nodiscard]] found_key find(const key_ring& ring, std::string_view text);

    void clear();

private:
    struct entry {
        std::string text;
        found_key found; // none: nothing is here yet
    };

    std::array<entry, 8> entries_;
    std::size_t oldest_ = 0;
};

} // namespace trackd::intake
