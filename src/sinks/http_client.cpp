#include "sinks/http_client.hpp"

#include "base/ascii.hpp"
#include "base/version.hpp"
#include "sinks/http_bodies.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

namespace trackd::sinks {

namespace {

constexpr std::size_t kept_bytes = 4096; // of an answer's body
constexpr long expectation_failed = 417;
constexpr int longest_poll = 1000;                                   // ms; a stop ends it at once
constexpr std::chrono::seconds longest_wait = std::chrono::hours{1}; // that a server may ask for

// Nothing, if the answer has no such header, or no date in it.
std::optional<std::chrono::seconds> date_in(CURL* answered, const char* name) {
    curl_header* found = nullptr;
    if (::curl_easy_header(answered, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return {};
    if (*found->value >= '0' && *found->value <= '9') return {}; // a number of seconds
    const auto time = ::curl_getdate(found->value, nullptr);
    return time < 0 ? std::nullopt : std::optional{std::chrono::seconds{time}};
}

// A date is the server's: the time until then is that from the Date of its answer. libcurl counts from this machine's
// clock, which may be wrong.
std::chrono::seconds retry_after(CURL* answered) {
    const auto date = date_in(answered, "Date");
    const auto until = date_in(answered, "Retry-After");
    if (date && until) return *until - *date;
    curl_off_t seconds = 0;
    ::curl_easy_getinfo(answered, CURLINFO_RETRY_AFTER, &seconds);
    return std::chrono::seconds{seconds};
}

using url_handle = std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)>;

std::string part_of(const url_handle& url, CURLUPart part) {
    char* text = nullptr;
    ::curl_url_get(url.get(), part, &text, 0);
    const std::unique_ptr<char, decltype(&::curl_free)> owner{text, &::curl_free};
    return text == nullptr ? std::string{} : std::string{text};
}

/// The URL without its query.
/// @throws std::runtime_error, without showing it
std::string checked_url(const std::string& text) {
    const url_handle url{::curl_url(), &::curl_url_cleanup};
    if (!url) throw std::bad_alloc{};
    const auto code = ::curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
    const auto scheme = part_of(url, CURLUPART_SCHEME);
    if (code != CURLUE_OK || (scheme != "http" && scheme != "https"))
        throw std::runtime_error{fmt::format(
            "url: {}; expected one that begins with http:// or https://, such as "
            "https://collector.example/events",
            text.empty()        ? "there is none"
            : code != CURLUE_OK ? ::curl_url_strerror(code)
                                : "its scheme is another one"
        )};
    if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_PASSWORD).empty())
        throw std::runtime_error{
            "url: it has a user or a password in it, which logs would show; expected them in "
            "headers, such as \"Authorization: Basic ${CREDENTIALS}\""
        };
    ::curl_url_set(url.get(), CURLUPART_QUERY, nullptr, 0);
    ::curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
    return escaped(part_of(url, CURLUPART_URL));
}

void check_readable(const char* option, const std::string& path) {
    if (!path.empty() && ::access(path.c_str(), R_OK) != 0)
        throw std::system_error{
            errno, std::generic_category(), std::string{option} + ": cannot read " + path
        };
}

bool is_token(char c) {
    return (c >= '0' && c <= '9') || (base::to_lower(c) >= 'a' && base::to_lower(c) <= 'z') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

/// The name of a header field.
/// @throws std::runtime_error, without showing more than that
std::string_view checked_name(std::string_view header) {
    const auto colon = header.find(':');
    const auto name = header.substr(0, colon);
    const auto value = colon == header.npos ? std::string_view{} : header.substr(colon + 1);
    if (name.empty() || !std::ranges::all_of(name, is_token) ||
        value.find_first_not_of(" \t") == value.npos || std::ranges::any_of(value, is_control))
        throw std::runtime_error{
            "headers: found one that is not shown, expected \"Name: value\" without control characters"
        };
    for (const std::string_view own : {"Content-Length", "Content-Encoding", "Transfer-Encoding"}) {
        if (base::equal_ignoring_case(name, own))
            throw std::runtime_error{
                fmt::format("headers: found {}, expected others: trackd sets it itself", own)
            };
    }
    return name;
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
    const auto code = ::curl_easy_setopt(easy, option, value);
    if (code != CURLE_OK)
        throw std::runtime_error{fmt::format(
            "libcurl {}: {}", ::curl_version_info(CURLVERSION_NOW)->version, ::curl_easy_strerror(code)
        )};
}

void check(CURLMcode code) {
    if (code != CURLM_OK) throw std::runtime_error{std::string{"libcurl: "} + ::curl_multi_strerror(code)};
}

std::string_view advice_for(CURLcode code) noexcept {
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return "; expected a certificate for this host by an authority of the system, or of ca_file";
    case CURLE_SSL_CACERT_BADFILE: return "; expected certificates in ca_file, PEM";
    case CURLE_SSL_CERTPROBLEM:
        return "; expected a certificate in client_certificate and its key in client_key, PEM";
    case CURLE_OPERATION_TIMEDOUT: return "; see timeout and connect_timeout";
    default: return "";
    }
}

using header_list = std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)>;

void append(header_list& list, const std::string& header) {
    auto* const longer = ::curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc{};
    list.release();
    list.reset(longer);
}

/// While it lives, the transfer is under way.
class transfer {
public:
    transfer(CURLM* multi, CURL* easy) : multi_{multi}, easy_{easy} {
        check(::curl_multi_add_handle(multi_, easy_));
    }

    ~transfer() { ::curl_multi_remove_handle(multi_, easy_); }

    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;

private:
    CURLM* multi_;
    CURL* easy_;
};

} // namespace

curl_library::curl_library() {
    if (const auto code = ::curl_global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK)
        throw std::runtime_error{std::string{"libcurl: "} + ::curl_easy_strerror(code)};
}

http_client::http_client(const http_options& options)
    : where_{checked_url(options.url)}, multi_{::curl_multi_init(), &::curl_multi_cleanup},
      easy_{::curl_easy_init(), &::curl_easy_cleanup} {
    if (!multi_ || !easy_) throw std::bad_alloc{};
    check_readable("ca_file", options.ca_file);
    check_readable("client_certificate", options.client_certificate);
    check_readable("client_key", options.client_key);
    if (options.client_certificate.empty() && !options.client_key.empty())
        throw std::runtime_error{"client_key: found it without client_certificate, expected both or neither"};
    set_headers(options);
    set_up(options);
}

void http_client::set_headers(const http_options& options) {
    const auto add = [&](const std::string& header) { append(headers_, header); };
    bool has_type = false;
    for (const auto& header : options.headers) {
        has_type |= base::equal_ignoring_case(checked_name(header), "Content-Type");
        add(header);
    }
    if (!has_type) add(fmt::format("Content-Type: {}", content_type_of(options.format)));
    if (const auto encoding = content_encoding_of(options.compression); !encoding.empty())
        add(fmt::format("Content-Encoding: {}", encoding));
    set(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

void http_client::set_up(const http_options& options) {
    auto* const easy = easy_.get();
    set(easy, CURLOPT_URL, options.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(easy, CURLOPT_USERAGENT, (std::string{"trackd/"} + base::version).c_str());
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    set(easy, CURLOPT_ERRORBUFFER, error_.data());
    set(easy, CURLOPT_WRITEFUNCTION, &http_client::keep);
    set(easy, CURLOPT_WRITEDATA, &answer_);
    set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(easy, CURLOPT_SSL_VERIFYPEER, options.verify ? 1L : 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, options.verify ? 2L : 0L);
    if (!options.ca_file.empty()) {
        set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
        set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr)); // these authorities and no others
    }
    if (!options.client_certificate.empty()) set(easy, CURLOPT_SSLCERT, options.client_certificate.c_str());
    if (!options.client_key.empty()) set(easy, CURLOPT_SSLKEY, options.client_key.c_str());
}

std::optional<http_answer> http_client::post(std::string_view body, const std::stop_token& stop) {
    auto answer = post_once(body, stop);
    if (answer && answer->status == expectation_failed && expects_continue_) {
        forbid_expect();
        answer = post_once(body, stop);
    }
    return answer;
}

// From now on: a server that does not know `Expect` will not learn it. RFC 9110 section 10.1.1 has the request repeated
// without it.
void http_client::forbid_expect() {
    header_list kept{nullptr, &::curl_slist_free_all};
    for (const auto* each = headers_.get(); each != nullptr; each = each->next)
        if (!base::equal_ignoring_case(std::string_view{each->data}.substr(0, 7), "Expect:"))
            append(kept, each->data);
    append(kept, "Expect:"); // without a value: libcurl sends none of its own
    set(easy_.get(), CURLOPT_HTTPHEADER, kept.get());
    headers_ = std::move(kept);
    expects_continue_ = false;
}

std::optional<http_answer> http_client::post_once(std::string_view body, const std::stop_token& stop) {
    answer_ = {};
    answer_.body.reserve(kept_bytes);
    error_.front() = '\0';
    set(easy_.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(easy_.get(), CURLOPT_POSTFIELDS, body.data());
    const transfer under_way{multi_.get(), easy_.get()};
    if (!run(stop)) return std::nullopt;
    if (!was_refused_for_expect()) check_result();
    read_head();
    return std::move(answer_);
}

bool http_client::run(const std::stop_token& stop) {
    const std::stop_callback wake{stop, [this] { ::curl_multi_wakeup(multi_.get()); }};
    for (int running = 1;;) {
        if (stop.stop_requested()) return false;
        check(::curl_multi_perform(multi_.get(), &running));
        if (running == 0) return true;
        check(::curl_multi_poll(multi_.get(), nullptr, 0, longest_poll, nullptr));
    }
}

// Such an answer counts even where libcurl calls it a failure, as the server closes without having read the body.
bool http_client::was_refused_for_expect() const noexcept {
    long status = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return expects_continue_ && status == expectation_failed;
}

void http_client::check_result() {
    int left = 0;
    const auto* message = ::curl_multi_info_read(multi_.get(), &left);
    if (message == nullptr || message->msg != CURLMSG_DONE)
        throw std::runtime_error{where_ + ": libcurl does not say how it ended"};
    if (message->data.result != CURLE_OK) fail(message->data.result);
}

void http_client::read_head() {
    ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
    const char* location = nullptr;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &location);
    if (location != nullptr) answer_.location = location;
    if (const auto seconds = retry_after(easy_.get()); seconds.count() > 0)
        answer_.retry_after = std::min(seconds, longest_wait);
}

void http_client::fail(CURLcode code) const {
    const std::string_view detail = error_.data();
    throw std::runtime_error{fmt::format(
        "{}: {}{}", where_, detail.empty() ? std::string{::curl_easy_strerror(code)} : escaped(detail),
        advice_for(code)
    )};
}

std::size_t http_client::keep(const char* bytes, std::size_t size, std::size_t count, void* answer) noexcept {
    auto& body = static_cast<http_answer*>(answer)->body;
    const auto room = kept_bytes - std::min(kept_bytes, body.size());
    body.append(bytes, std::min(size * count, room)); // for which there is memory already
    return size * count;
}

} // namespace trackd::sinks
