// The header of the PROXY protocol, versions 1 and 2, with which a proxy begins a connection to say whose it is.
#pragma once

#include "http/client_address.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace trackd::http {

/// What the bytes at the beginning of a connection are.
struct proxy_header {
    enum class outcome : unsigned char {
        need_more, ///< all of them belong to the header, and it is not complete
        complete,
        malformed,
    };

    /// Whose connection it is.
    enum class source : unsigned char {
        proxy,  ///< the proxy's own, such as one to look whether we live; or it does not know
        client, ///< that of a client with an address
        local,  ///< that of a client which came to the proxy through a socket file
    };

    outcome what = outcome::need_more;
    source whose = source::proxy;
    std::optional<client_address> address = {}; ///< the client's
    std::size_t bytes = 0;           ///< of the header, once it is complete: what follows is not its
    std::string_view complaint = {}; ///< what is wrong with it, a literal
};

/// The longest of version 1, with its line's end.
inline constexpr std::size_t max_proxy_line_bytes = 107;

/// The longest of version 2 that is taken, with what proxies add to it (which is passed over): the format itself would
/// allow 64 KiB.
inline constexpr std::size_t max_proxy_header_bytes = 4096;

/// Looks at all that has come since the beginning of a connection. Says as early as it can be known that it is
/// malformed; never wants more than `max_proxy_header_bytes`.
[[nodiscard]] proxy_header read_proxy_header(std::string_view received);

} // namespace trackd::http
