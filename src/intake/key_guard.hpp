// Lets in who has a key, as long as the key's rate is kept.
#pragma once

#include "http/guard.hpp"
#include "intake/key_memo.hpp"
#include "intake/keys.hpp"
#include "intake/limits.hpp"

#include <trackd/batch.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// One an I/O thread. While there are no keys it is off, and everybody is let in.
///
/// Bytes are charged before the body is read; where its size is not announced, afterwards. Events are charged by
/// `admit_events`, once they are read.
class key_guard final : public http::guard {
public:
    /// @param keys   outlives this, and so does `limits`
    /// @param limits where it is counted which of them was hit
    key_guard(const shared_key_ring& keys, limit_counters& limits) : shared_{keys}, limits_{limits} {}

    [[nodiscard]] bool is_on() noexcept override;
    [[nodiscard]] bool admit_head(
        http::request& req, std::optional<std::uint64_t> body_bytes, http::access wanted, http::response& res
    ) override;
    [[nodiscard]] bool admit_body(const http::request& req, http::response& res) override;

    /// For routes with `access::late`, whose handler found a key in the body. Charges the body.
    /// @param text   empty: there is none
    /// @param caller is set to the key, unless there are no keys at all
    /// @return whether the request may go on; otherwise `res` is the answer
    [[nodiscard]] bool admit_text(
        std::string_view text, const http::request& req, http::response& res,
        std::shared_ptr<const key>& caller
    );

private:
    /// Looks the key up in the held ring, and records the use of the hash that it has.
    [[nodiscard]] std::shared_ptr<const key> find_key(std::string_view text, const http::request& req);

    const shared_key_ring& shared_;
    limit_counters& limits_;
    std::shared_ptr<const key_ring> held_; // as of the last look
    key_memo memo_;                        // of its keys
    std::string room_;
};

/// Whose request it is; null where there are no keys, or where the handler has to find out.
[[nodiscard]] inline const key* caller_of(const http::request& req) noexcept {
    return static_cast<const key*>(req.caller.get());
}

[[nodiscard]] inline std::shared_ptr<const key> shared_caller_of(const http::request& req) noexcept {
    return std::static_pointer_cast<const key>(req.caller);
}

/// Whether the key allows the events that were appended since the mark: their sources, then their number, which is
/// charged. Otherwise `res` is the answer.
/// @param caller null: everything is allowed
[[nodiscard]] bool admit_events(
    const key* caller, const batch& events, batch::mark since, http::response& res, limit_counters& limits
);

} // namespace trackd::intake
