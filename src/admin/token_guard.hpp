// Lets those use the admin listener who know its token, and no web page but our own.
#pragma once

#include "base/sha256.hpp"
#include "http/guard.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::admin {

/// For all routes but those that are open. Lives on the listener's thread.
///
/// Of another site's page the browser says where it comes from: such a request is refused, whatever it wants (CSRF),
/// unless somebody has followed a link. A page may also have its own site's name lead to this machine (DNS rebinding): so without a token, which no such page
/// has, the host has to be called by its address, or `localhost`.
class token_guard final : public http::guard {
public:
    /// @param token empty: none is asked for
    explicit token_guard(std::string_view token) { set_token(token); }

    /// From the next request on.
    void set_token(std::string_view token);

    /// Another secret that is taken for the token, where there is one. From the next request on.
    /// @param secret empty: none is
    void set_local_secret(std::string_view secret);

    [[nodiscard]] bool is_on() noexcept override { return true; }

    [[nodiscard]] bool admit_head(
        http::request& req, std::optional<std::uint64_t> body_bytes, http::access wanted, http::response& res
    ) override;

    [[nodiscard]] bool admit_body(const http::request& /*req*/, http::response& /*res*/) override {
        return true;
    }

private:
    [[nodiscard]] bool knows_token(const http::request& req);

    std::optional<base::sha256_digest>
        token_; // hashed, as what is of one length can be compared in constant time
    std::optional<base::sha256_digest> local_secret_;
    std::string room_;
};

} // namespace trackd::admin
