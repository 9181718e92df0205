#include "intake/client_record.hpp"

#include "base/utf8.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <cstddef>

namespace trackd::intake {

namespace {

namespace ip = boost::asio::ip;

/// With zeros behind so many bytes.
template <class Address>
Address network_of(const Address& address, std::ptrdiff_t bytes_kept) {
    auto bytes = address.to_bytes();
    std::fill(bytes.begin() + bytes_kept, bytes.end(), static_cast<unsigned char>(0));
    return Address{bytes};
}

bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
}

/// What stands in parentheses at the beginning of the text, which may have others within, is taken off.
void skip_comment(std::string_view& text) noexcept {
    std::size_t depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '(') ++depth;
        if (text[at] == ')' && --depth == 0) return text.remove_prefix(at + 1);
    }
    text = {};
}

/// `Chrome/130.0.6723.58` as `Chrome/130`; empty where that is not how it looks.
std::string_view product_of(std::string_view word) noexcept {
    const auto slash = word.find('/');
    if (slash == std::string_view::npos || slash == 0) return {};
    const auto end = std::min(word.find_first_not_of("0123456789", slash + 1), word.size());
    return end > slash + 1 ? word.substr(0, end) : std::string_view{};
}

std::string products_of(std::string_view text) {
    std::string products;
    while (!text.empty()) {
        if (text.front() == '(') {
            skip_comment(text);
            continue;
        }
        const auto end = std::min(text.find_first_of(" \t("), text.size());
        const auto product = product_of(text.substr(0, end));
        if (!product.empty()) products.append(products.empty() ? "" : " ").append(product);
        text.remove_prefix(end < text.size() && text[end] != '(' ? end + 1 : end);
    }
    return products;
}

} // namespace

std::string written_address(const http::client_address& address, client_detail detail) {
    if (detail == client_detail::full) return address.to_string();
    if (address.is_v4()) return network_of(address.to_v4(), 3).to_string();
    return network_of(address.to_v6(), 6).to_string();
}

std::string written_user_agent(std::string_view text, client_detail detail) {
    if (kind_of(text) != data_kind::text) return {};
    auto written = detail == client_detail::full ? std::string{text} : products_of(text);
    written.resize(base::whole_characters(written, max_user_agent_bytes).size());
    std::ranges::replace_if(written, is_control, ' ');
    return written;
}

const client_facts* client_record::write(const http::request& req) {
    address_ = req.client != nullptr ? written_address(*req.client, detail_) : std::string{};
    user_agent_ = written_user_agent(req.header(http::field::user_agent), detail_);
    facts_ = {address_, user_agent_};
    return &facts_;
}

} // namespace trackd::intake
