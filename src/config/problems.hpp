// Collects what is wrong with a configuration, so that all of it can be said at once.
#pragma once

#include "config/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trackd::config {

class problems {
public:
    void add(const origin& where, std::string what);

    /// Says which option it is about, unless the place already does.
    void add(const origin& where, std::string_view key, std::string_view what);

    [[nodiscard]] bool empty() const noexcept { return found_.empty(); }

    /// One line a problem, in the order of their places.
    [[nodiscard]] std::vector<std::string> lines() const;

    /// @throws error with `lines()`, unless there is none
    void throw_if_any() const;

private:
    struct problem {
        origin where;
        std::string what;
    };

    std::vector<problem> found_; ///< in the order of their places
};

} // namespace trackd::config
