// Bytes in, requests out: HTTP/1 without a socket.
#pragma once

#include "base/byte_budget.hpp"
#include "http/framing.hpp"
#include "http/head_memo.hpp"
#include "http/options.hpp"
#include "http/padded_buffer.hpp"
#include "http/request.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace trackd::http {

/// Reads the requests of one connection, one after the other:
///
///     receive into space(), tell received(n)
///     while (advance() == progress::ready) { answer current(); next(); }
///
/// The current request's views stay valid until `next()`, whatever is received meanwhile. Reused from
/// connection to connection: it holds the memory, not the other way round.
class parser {
public:
    enum class progress {
        need_more,
        ready,   ///< current() is complete
        refused, ///< refusal() says why. If it does not close, next() goes on behind it
    };

    /// @param known shared with other parsers of this thread; outlives it
    parser(const options& limits, head_memo& known);
    parser(const parser&) = delete;
    parser& operator=(const parser&) = delete;

    /// Room for what comes next; never empty while advance() says need_more.
    [[nodiscard]] std::span<char> space();
    void received(std::size_t n);

    [[nodiscard]] progress advance();

    [[nodiscard]] request& current() noexcept { return request_; }

    [[nodiscard]] const request& current() const noexcept { return request_; }

    [[nodiscard]] const refused& refusal() const noexcept { return *refusal_; }

    /// Whether the client leaves the connection open after the current request.
    [[nodiscard]] bool keep_alive() const noexcept { return framing_.keep_alive; }

    /// True once for a request whose head asks for `100 Continue` and announces a body, and is complete:
    /// advance() said need_more or ready.
    [[nodiscard]] bool take_expectation() noexcept { return std::exchange(framing_.expects_continue, false); }

    /// True once for a request whose head is complete and sound, whatever advance() says of its body: now is the time
    /// to ask who may send it.
    [[nodiscard]] bool take_head() noexcept { return std::exchange(head_is_new_, false); }

    /// Whether the current request's header fields are known, though there may be something wrong with it.
    [[nodiscard]] bool has_fields() const noexcept { return has_fields_; }

    /// What the current request's head says about its body.
    [[nodiscard]] bool announces_body() const noexcept {
        return framing_.chunked || framing_.content_length > 0;
    }

    /// The size of the body, where its head gives it.
    [[nodiscard]] std::optional<std::uint64_t> announced_bytes() const noexcept {
        return framing_.chunked ? std::nullopt : std::optional{framing_.content_length};
    }

    /// The current request was answered: forget it.
    void next();

    /// Whether no byte of the next request is there, behind the current one.
    [[nodiscard]] bool is_last() const noexcept { return unread_ == input_.size(); }

    /// Whether any byte of the next, or of an unfinished, request is there.
    [[nodiscard]] bool has_begun() const noexcept { return begin_ < input_.size() || in_body(); }

    [[nodiscard]] bool in_body() const noexcept { return stage_ == stage::body || stage_ == stage::chunks; }

    /// Bytes of the current body that have arrived, with its transfer coding.
    [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }

    /// Forgets everything, and keeps only as much memory as the next connection is likely to need.
    void reset();

private:
    enum class stage { head, body, chunks, ready, refused };

    // Beast's part: it splits a head into fields, and takes chunks apart.
    class beast_parser final : public boost::beast::http::basic_parser<true> {
    public:
        explicit beast_parser(parser& owner) : owner_(owner) {
            header_limit(UINT32_MAX); // the guard keeps the limits
            body_limit(boost::none);
        }

    private:
        using text = boost::beast::string_view;
        using error_code = boost::beast::error_code;

        void on_request_impl(verb method, text name, text target, int version, error_code&) override;

        void on_response_impl(int, text, int, error_code&) override {}

        void on_field_impl(field id, text name, text value, error_code&) override;

        void on_header_impl(error_code&) override {}

        void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

        std::size_t on_body_impl(text, error_code&) override { return 0; }

        void on_chunk_header_impl(std::uint64_t size, text extension, error_code&) override;
        std::size_t on_chunk_body_impl(std::uint64_t remaining, text data, error_code&) override;

        void on_finish_impl(error_code&) override {}

        parser& owner_;
    };

    progress refuse(refused why);
    void skip_empty_lines();
    progress read_head();
    [[nodiscard]] std::optional<refused> parse_head(std::string_view head);
    progress read_body();
    progress read_chunks();
    [[nodiscard]] std::optional<refused> judge_chunk_line(std::size_t size) const;
    progress finish();
    void move_to_front();
    [[nodiscard]] bool may_hold(std::size_t bytes);
    [[nodiscard]] bool make_room(std::size_t bytes);

    [[nodiscard]] std::string_view unread() const noexcept { return input_.view().substr(unread_); }

    const options& limits_;
    head_memo& known_;
    padded_buffer input_;    // bytes as they came
    std::size_t begin_ = 0;  // of the current request, in input_
    std::size_t unread_ = 0; // behind its head, or behind the chunks that were taken apart
    padded_buffer body_;     // one that is not whole in input_
    base::byte_share held_;  // for body_, where it is large
    std::uint64_t body_bytes_ = 0;

    stage stage_ = stage::head;
    int empty_lines_ = 0; // before the request
    head_scanner scanner_;
    std::size_t head_size_ = 0; // 0: it is not complete
    framing framing_;
    std::optional<beast_parser> beast_;
    std::string_view target_;
    request request_;
    std::optional<refused> refusal_;
    bool has_fields_ = false;
    bool head_is_new_ = false;
    bool at_chunk_line_ = false; // what Beast took last was a chunk's size line, or the trailers
};

} // namespace trackd::http
