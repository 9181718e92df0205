// What all ways in have in common: mark, decode, read, admit, confirm, answer.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"
#include "http/router.hpp"
#include "http/task.hpp"
#include "intake/all_or_nothing.hpp"
#include "intake/body_decoder.hpp"
#include "intake/key_guard.hpp"
#include "intake/refusal.hpp"

#include <trackd/lane.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace trackd::intake {

/// The events that one request brought, in the lane's batch. Valid until they are admitted or dropped.
class new_events {
public:
    new_events(const batch& all, batch::mark start) noexcept : all_{all}, start_{start} {}

    [[nodiscard]] std::size_t size() const noexcept { return all_.events() - start_.events; }

    [[nodiscard]] batch::iterator begin() const noexcept {
        return batch::iterator{all_.encoded().data() + start_.bytes};
    }

    [[nodiscard]] batch::iterator end() const noexcept { return all_.end(); }

private:
    const batch& all_;
    batch::mark start_;
};

/// A format of the front door: how a request becomes events, and how each outcome is said to its clients.
template <class T>
concept request_format = requires(
    T& format, const http::request& req, http::response& res, std::string_view body, batch& events,
    const new_events& added, const refusal& refused, boost::system::error_code failed,
    std::chrono::seconds retry_after
) {
    /// Appends the events of the request, whose body is `body` once its content coding was taken off; or says why
    /// there are none.
    { format.read(req, body, events) } -> std::same_as<std::optional<refusal>>;
    /// Writes the answer of success, before the events are admitted: afterwards they are the tracker's.
    { format.accept(req, res, added) } -> std::same_as<void>;
    /// Writes the answer where nothing could be read.
    { format.refuse(req, res, refused) } -> std::same_as<void>;
    /// Writes the answer where the lane did not take the events, or does not know what became of them.
    { format.fail(req, res, failed, retry_after) } -> std::same_as<void>;
};

/// A format whose requests may say in their body whose they are.
template <class T>
concept identifies_late =
    requires(T& format, const http::request& req, http::response& res, std::shared_ptr<const key>& caller) {
        /// Finds out whose request it is, once it is read. False: `res` says that it may not go on.
        { format.identify(req, res, caller) } -> std::same_as<bool>;
    };

/// A format that says in its own words what the answer `res` says: that the key is wrong, or may not do this.
template <class T>
concept rewords_denials = requires(T& format, const http::request& req, http::response& res) {
    { format.deny(req, res) } -> std::same_as<void>;
};

/// Takes the events of requests into the lane, in whatever format they come. The format is known when this is
/// compiled, so that what it costs is the reading and the answer. Confined to the lane's thread.
class admission {
public:
    /// @param decoder may be shared by all formats of a thread
    admission(lane& lane, body_decoder& decoder) noexcept : lane_{lane}, decoder_{decoder} {}

    /// Has the request read and answered. Where an acknowledgement is promised, the answer holds once what is
    /// returned has run; format, request and response stay in place until then.
    template <request_format Format>
    [[nodiscard]] http::pending take(const http::request& req, http::response& res, Format& format) {
        all_or_nothing staged{lane_.events()};
        const new_events added{lane_.events(), staged.start()};
        if (const auto refused = read(req, format)) {
            format.refuse(req, res, *refused);
            return std::nullopt;
        }
        std::shared_ptr<const key> caller = req.caller ? shared_caller_of(req) : nullptr;
        if (!may_bring(req, res, format, staged.start(), caller)) return std::nullopt;
        const auto count = added.size();
        format.accept(req, res, added);
        if (count == 0) return std::nullopt; // nothing that anybody could refuse
        staged.keep();                       // from here on the lane drops them
        if (const auto failed = lane_.admit(staged.start())) {
            if (caller) caller->give_back_events(count);
            res.clear();
            format.fail(req, res, failed, lane_.retry_after());
            return std::nullopt;
        }
        if (lane_.waits_for_ack()) return confirm(req, res, format);
        return std::nullopt;
    }

    /// Has the request read, and drops its events again.
    /// @param answer writes the answer where they could be read
    template <request_format Format, std::invocable<const new_events&> Answer>
    void check(const http::request& req, http::response& res, Format& format, Answer answer) {
        const all_or_nothing staged{lane_.events()};
        if (const auto refused = read(req, format))
            format.refuse(req, res, *refused);
        else
            answer(new_events{lane_.events(), staged.start()});
    }

private:
    template <class Format>
    [[nodiscard]] std::optional<refusal> read(const http::request& req, Format& format) {
        const auto coding = req.header(http::field::content_encoding);
        if (coding.empty()) return format.read(req, req.body, lane_.events()); // nearly always
        auto body = req.body;
        auto refused = decoder_.decode(coding, body);
        if (!refused) refused = format.read(req, body, lane_.events());
        decoder_.release();
        return refused;
    }

    /// Whether the caller's key allows these events; otherwise `res` is the answer.
    template <class Format>
    [[nodiscard]] bool may_bring(
        const http::request& req, http::response& res, Format& format, batch::mark since,
        std::shared_ptr<const key>& caller
    ) {
        bool may = true;
        if constexpr (identifies_late<Format>) may = caller || format.identify(req, res, caller);
        may = may && admit_events(caller.get(), lane_.events(), since, res);
        if constexpr (rewords_denials<Format>) {
            if (!may) format.deny(req, res);
        }
        return may;
    }

    template <class Format>
    [[nodiscard]] http::task<void> confirm(const http::request& req, http::response& res, Format& format) {
        if (const auto failed = co_await lane_.acknowledged()) {
            res.clear();
            format.fail(req, res, failed, lane_.retry_after());
        }
    }

    lane& lane_;
    body_decoder& decoder_;
};

} // namespace trackd::intake
