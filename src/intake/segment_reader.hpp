// The calls of Segment's HTTP API, which RudderStack's clients speak, too, as events.
#pragma once

#include "intake/body_repair.hpp"
#include "intake/client_clocks.hpp"
#include "intake/completion.hpp"
#include "intake/json_cursor.hpp"
#include "intake/json_document.hpp"
#include "intake/refusal.hpp"
#include "intake/rejected_calls.hpp"
#include "intake/scratch.hpp"

#include <trackd/batch.hpp>
#include <trackd/event.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::intake {

/// What a call says about its user.
enum class segment_kind : std::uint8_t { track, identify, page, screen, group, alias, merge, audiencelist };

/// "track", ...
[[nodiscard]] std::string_view to_string(segment_kind kind) noexcept;

/// Nothing if there is no such kind.
[[nodiscard]] std::optional<segment_kind> segment_kind_named(std::string_view name) noexcept;

/// Turns bodies into events, and keeps its memory. Confined to one thread.
///
/// A call becomes an event like this: `messageId` is its id, the name that a `track` has in `event` is its
/// type, and the kind the type of all others; the user, or else the anonymous one, is its subject; the whole
/// object is its data. Its time is the client's, corrected by as much as the client's clock is wrong: by what
/// it said about its own time in `sentAt`.
class segment_reader {
public:
    /// What a batch may grow to when what its calls have in common is written into each of them.
    static constexpr std::size_t max_merged_bytes = 32UL * 1024UL * 1024UL;

    /// @param clocks may be shared by all threads; null: a new one
    explicit segment_reader(event_reader_options options, std::shared_ptr<client_clocks> clocks = nullptr);
    segment_reader(const segment_reader&) = delete;
    segment_reader& operator=(const segment_reader&) = delete;

    /// From the next body on.
    void use(const event_reader_options& options) { options_ = options; }

    /// What the header says of the time at which it was sent, for bodies that say nothing; empty: nothing.
    void set_sent_at(std::string_view text) noexcept { sent_at_of_header_ = text; }

    /// What the header says of the library that sent it.
    void set_user_agent(std::string_view text) noexcept { user_agent_ = text; }

    /// Looks for `writeKey` in the body's object, and then in the calls of a batch.
    /// @param found empty: there is none
    /// @return why the body cannot be read
    [[nodiscard]] std::optional<refusal> find_write_key(std::string_view body, std::string& found);

    /// Appends the event of a body that is one call of this kind.
    /// @param body at least 64 bytes behind its end can be read
    [[nodiscard]] std::optional<refusal>
    read_call(const request_facts& facts, segment_kind kind, std::string_view body, batch& out);

    /// Appends the events of a body with a member `batch`, without the calls that cannot be events: these are
    /// `rejected()`. Or it says why there are none.
    [[nodiscard]] std::optional<refusal>
    read_batch(const request_facts& facts, std::string_view body, batch& out);

    /// The calls that were left out of the batch that was read last.
    [[nodiscard]] const rejected_calls& rejected() const noexcept { return rejected_; }

private:
    // The members that mean something.
    enum known : std::size_t {
        type,
        event_name,
        user_id,
        anonymous_id,
        group_id,
        previous_id,
        message_id,
        timestamp,
        original_timestamp,
        sent_at,
        context,
        integrations,
        write_key,
        batch_items,
        known_count
    };

    static const std::array<std::string_view, known_count> known_names;

    struct member {
        std::string_view name; // between its quotes, as it came
        std::string_view value;
        known which; // known_count: none of them
    };

    // One object: the members in their order, and where the values of the known ones begin.
    struct object {
        void collect(json_cursor& at);

        [[nodiscard]] bool has(known which) const noexcept {
            return !given[which].empty() && given[which] != "null";
        }

        [[nodiscard]] bool has_object(known which) const noexcept { return given[which].starts_with('{'); }

        std::string_view text;
        std::vector<member> members;
        std::array<std::string_view, known_count> given;
        std::array<std::optional<json_cursor>, known_count> places;
    };

    std::optional<refusal> parse(std::string_view body);
    std::optional<refusal> read_items(const request_facts& facts, batch& out);
    std::optional<refusal>
    read_item(const request_facts& facts, json_cursor& at, std::size_t index, batch& out);
    std::optional<refusal>
    append(const request_facts& facts, segment_kind kind, std::optional<std::size_t> index, batch& out);
    std::optional<refusal> read_kind(std::optional<segment_kind>& kind);
    std::optional<refusal> read_attributes(segment_kind kind, event_view& event);
    std::optional<refusal> read_name(known which, std::string_view& text);
    std::optional<refusal> read_text(known which, std::string_view& text);
    [[nodiscard]] wall_time time_of_call(const request_facts& facts);
    [[nodiscard]] std::uint64_t sender_of(const request_facts& facts);
    [[nodiscard]] std::optional<wall_time> time_in(std::string_view value);
    [[nodiscard]] std::string_view data_of(segment_kind kind, bool in_batch);
    void append_member(std::string_view name, std::string_view value);
    void append_merged(known which);
    [[nodiscard]] std::string_view string_in(std::string_view value);
    void release();

    event_reader_options options_;
    event_completion completion_{options_};
    json_document document_;
    body_repair repair_;
    rejected_calls rejected_; // of a batch
    scratch scratch_;
    std::array<std::string, known_count> cleaned_; // attributes of the last call that are not as they came
    object body_;                                  // of a batch
    object call_;
    std::string data_; // of the last call that is not as it came
    std::size_t merged_bytes_ = 0;
    std::shared_ptr<client_clocks> clocks_;
    std::string_view sent_at_of_header_;
    std::string_view user_agent_;
    std::optional<std::uint64_t> sender_;      // of the body, once a call with a time was read
    std::optional<wall_time> sent_at_of_body_; // of a batch
};

} // namespace trackd::intake
