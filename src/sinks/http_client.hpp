// One connection to one URL, by libcurl, which waits no longer than a stop or a timeout allows.
#pragma once

#include "sinks/http.hpp"
#include "sinks/http_answers.hpp"

#include <array>
#include <curl/curl.h>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace trackd::sinks {

/// libcurl's own state of the process, which it counts the users of.
class curl_library {
public:
    curl_library();

    ~curl_library() { ::curl_global_cleanup(); }

    curl_library(const curl_library&) = delete;
    curl_library& operator=(const curl_library&) = delete;
};

/// Used by one thread at a time. The connection is kept for the next request, and made again when it is gone.
class http_client {
public:
    /// Connects to nobody yet.
    /// @throws std::runtime_error for options that can never work; nothing secret is in the text
    explicit http_client(const http_options& options);

    /// POSTs the body; once more without `Expect` if the server refuses that.
    /// @param body stays where it is until the call returns
    /// @return nothing if it was stopped
    /// @throws std::runtime_error if there was no answer, or not all of it
    std::optional<http_answer> post(std::string_view body, const std::stop_token& stop);

    /// For messages: the URL without what may be secret in it.
    [[nodiscard]] const std::string& where() const noexcept { return where_; }

    http_client(const http_client&) = delete; // libcurl knows the address of the answer
    http_client& operator=(const http_client&) = delete;

private:
    static std::size_t keep(const char* bytes, std::size_t size, std::size_t count, void* answer) noexcept;

    void set_headers(const http_options& options);
    void set_up(const http_options& options);
    void forbid_expect();
    std::optional<http_answer> post_once(std::string_view body, const std::stop_token& stop);
    [[nodiscard]] bool was_refused_for_expect() const noexcept;
    [[nodiscard]] bool run(const std::stop_token& stop); // false: it was stopped
    void check_result();
    void read_head();
    [[noreturn]] void fail(CURLcode code) const;

    curl_library library_;
    std::string where_;
    std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> headers_{nullptr, &::curl_slist_free_all};
    std::unique_ptr<CURLM, decltype(&::curl_multi_cleanup)> multi_;
    std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> easy_;
    std::array<char, CURL_ERROR_SIZE> error_{};
    http_answer answer_{};
    bool expects_continue_ = true; // with a large body, until a server refuses it
};

} // namespace trackd::sinks
