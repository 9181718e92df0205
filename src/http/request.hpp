// One HTTP request as its handler sees it.
#pragma once

#include "http/client_address.hpp"

#include <trackd/wall_time.hpp>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::http {

using boost::beast::http::field;
using boost::beast::http::verb;

/// A request whose framing was found sound. All views point into memory of the connection, and live until the
/// handler has answered. Header fields are those of the header section only: trailers are dropped.
class request {
public:
    static constexpr std::size_t body_padding = 64;

    struct header_field {
        field id; ///< field::unknown where Beast has no number for the name
        std::string_view name;
        std::string_view value; ///< without the white space around it
    };

    verb method = verb::unknown;
    std::string_view method_text;
    std::string_view path;  ///< as sent, percent-encoded, without the query
    std::string_view query; ///< after the `?`, as sent
    /// Decoded from its transfer coding. At least `body_padding` bytes that may be read, of any value, follow
    /// its last byte in the same allocation, as parsers with wide registers like it.
    std::string_view body;
    std::vector<header_field> headers;
    std::string_view parameter; ///< what stood for `{name}` in the route's pattern, as sent
    wall_time received_at;      ///< when its last byte had arrived; to guards: its head
    bool http_1_0 = false;
    const client_address* client = nullptr; ///< whose it is, where somebody wants to know; null: unknown
    std::shared_ptr<const void> caller;     ///< who it is, to the guard that let it in; null: nobody asked

    /// The first field with this name; empty where there is none.
    [[nodiscard]] std::string_view header(field id) const noexcept;

    /// The same, for a name without a number of its own; case does not matter.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;

    /// Whether `Name: a, b; q=1` lists the given token. Case does not matter.
    [[nodiscard]] bool header_has(std::string_view name, std::string_view token) const noexcept;
};

} // namespace trackd::http
