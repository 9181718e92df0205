// Requests that are answered with an error: what is kept of them for the operator, and the observer that keeps it.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <trackd/wall_time.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace trackd::http {

/// One rejection, without anything of the request's body or its query, and without a key.
struct rejection_record {
    wall_time at;
    unsigned status = 0; ///< of the answer
    std::string reason;  ///< `invalid_event`
    std::string detail;
    std::string key; ///< its name; empty: the request has none that is known
    std::string method;
    std::string path;
    std::uint64_t calls =
        0; ///< of a batch that were left out while the others were stored; 0: the whole request
};

/// How often requests were rejected with one status for one reason.
struct rejection_count {
    unsigned status = 0; ///< 0: several
    std::string reason;
    std::uint64_t count = 0;
};

/// Sees every answer of a listener that says an error, in whatever form.
class rejection_observer {
public:
    rejection_observer() = default;
    rejection_observer(const rejection_observer&) = delete;
    rejection_observer& operator=(const rejection_observer&) = delete;
    virtual ~rejection_observer() = default;

    /// Any thread.
    /// @param asked as far as it was read
    /// @param said  its `problem_slug` is not empty
    /// @param route the pattern of its route; `none`: there is none
    virtual void on_rejected(const request& asked, const response& said, std::string_view route) = 0;
};

} // namespace trackd::http
