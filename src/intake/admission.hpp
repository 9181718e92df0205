// What all ways in have in common: mark, decode, read, admit, confirm, answer.
#pragma once

#include "http/pending.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "intake/all_or_nothing.hpp"
#include "intake/answers.hpp"
#include "intake/body_decoder.hpp"
#include "intake/counters.hpp"
#include "intake/key_guard.hpp"
#include "intake/refusal.hpp"

#include <trackd/lane.hpp>

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

    /// As they are encoded.
    [[nodiscard]] std::size_t bytes() const noexcept { return all_.bytes() - start_.bytes; }

    [[nodiscard]] batch::iterator begin() const noexcept {
        return batch::iterator{all_.encoded().data() + start_.bytes};
    }

    [[nodiscard]] batch::iterator end() const noexcept { return all_.end(); }

private:
    const batch& all_;
    batch::mark start_;
};

/// A format of the front door: how a request becomes events, and how success is said to its clients. Errors are said
/// in the form of the route.
template <class T>
concept request_format = requires(
    T& format, const http::request& req, http::response& res, const key* caller, std::string_view body,
    batch& events, const new_events& added
) {
    /// Appends the events of the request, whose body is `body` once its content coding was taken off; or says why
    /// there are none. Whose request it is, is null where nobody needs a key.
    { format.read(req, caller, body, events) } -> std::same_as<std::optional<refusal>>;
    /// Writes the answer of success, before the events are admitted: afterwards they are the tracker's.
    { format.accept(req, res, added) } -> std::same_as<void>;
    /// What it is to those who count.
    { T::is } -> std::convertible_to<wire_format>;
};

/// A format whose requests the guard may have let through without knowing whose they are.
template <class T>
concept identifies_late = requires(
    T& format, const http::request& req, std::string_view body, http::response& res,
    std::shared_ptr<const key>& caller
) {
    /// Finds out whose request it is, before it is read. False: `res` says why it may not go on.
    { format.identify(req, body, res, caller) } -> std::same_as<bool>;
};

/// A format that leaves some of what a request brought out, and counts it once the rest is admitted.
template <class T>
concept records_rejections = requires(T& format, const http::request& req, const key* caller) {
    { format.record_rejections(req, caller) } -> std::same_as<void>;
};

/// Takes the events of requests into the lane, in whatever format they come. The format is known when this is
/// compiled, so that what it costs is the reading and the answer. Confined to the lane's thread.
class admission final : public http::promiser {
public:
    /// @param decoder may be shared by all formats of a thread, as may `counts`
    admission(lane& lane, body_decoder& decoder, counters& counts) noexcept
        : lane_{lane}, decoder_{decoder}, counts_{counts} {}

    /// Has the request read and answered. Where an acknowledgement is promised, the answer waits for it.
    template <request_format Format>
    [[nodiscard]] http::pending take(const http::request& req, http::response& res, Format& format) {
        all_or_nothing staged{lane_.events()};
        const new_events added{lane_.events(), staged.start()};
        auto caller = shared_caller_of(req);
        if (!read(req, res, format, caller)) return rejected(res, std::move(caller));
        if (!admit_events(caller.get(), lane_.events(), staged.start(), res, counts_.limits))
            return rejected(res, std::move(caller));
        const auto count = added.size();
        const auto bytes = added.bytes();
        format.accept(req, res, added);
        if (count == 0) return std::nullopt; // nothing that anybody could refuse
        staged.keep();                       // from here on the lane drops them
        if (const auto failed = lane_.admit(staged.start(), caller ? caller->name() : std::string_view{})) {
            if (caller) caller->give_back_events(count);
            fail(res, failed);
            return rejected(res, std::move(caller));
        }
        counts_.accepted.add(caller.get(), Format::is, count, bytes);
        if constexpr (records_rejections<Format>) format.record_rejections(req, caller.get());
        if (!lane_.waits_for_ack()) return std::nullopt;
        if (!req.caller) res.caller = std::move(caller); // it may be rejected yet
        return *this;
    }

    void when_kept(lane::ack_handler handler) override { lane_.when_acknowledged(std::move(handler)); }

    void apologise(boost::system::error_code broken, http::response& res) override { fail(res, broken); }

    /// Has the request read, and drops its events again.
    /// @param answer writes the answer where they could be read
    template <request_format Format, std::invocable<const new_events&> Answer>
    void check(const http::request& req, http::response& res, Format& format, Answer answer) {
        const all_or_nothing staged{lane_.events()};
        auto caller = shared_caller_of(req);
        if (read(req, res, format, caller))
            answer(new_events{lane_.events(), staged.start()});
        else
            static_cast<void>(rejected(res, std::move(caller)));
    }

private:
    /// The answer says an error, and whose request it was.
    [[nodiscard]] static http::pending rejected(http::response& res, std::shared_ptr<const key> caller) {
        if (caller) res.caller = std::move(caller);
        return std::nullopt;
    }

    /// @return whether the events are in the lane's batch; otherwise `res` is the answer
    template <class Format>
    [[nodiscard]] bool
    read(const http::request& req, http::response& res, Format& format, std::shared_ptr<const key>& caller) {
        const auto coding = req.header(http::field::content_encoding);
        if (coding.empty()) return read_decoded(req, req.body, res, format, caller); // nearly always
        auto body = req.body;
        const auto refused = decoder_.decode(coding, body);
        if (refused) refuse(res, *refused);
        const bool done = !refused && read_decoded(req, body, res, format, caller);
        decoder_.release();
        return done;
    }

    template <class Format>
    [[nodiscard]] bool read_decoded(
        const http::request& req, std::string_view body, http::response& res, Format& format,
        std::shared_ptr<const key>& caller
    ) {
        if constexpr (identifies_late<Format>) {
            if (!caller && !format.identify(req, body, res, caller)) return false;
        }
        const auto refused = format.read(req, caller.get(), body, lane_.events());
        if (refused) refuse(res, *refused);
        return !refused;
    }

    void refuse(http::response& res, const refusal& refused) {
        if (refused.hit) counts_.limits.add(*refused.hit);
        answer_problem(res, refused);
    }

    void fail(http::response& res, boost::system::error_code failed) {
        if (const auto hit = limit_behind(failed)) counts_.limits.add(*hit);
        res.clear();
        answer_problem(res, failed, lane_.retry_after());
    }

    lane& lane_;
    body_decoder& decoder_;
    counters& counts_;
};

} // namespace trackd::intake
