#include "service/find_daemon.hpp"

#include "base/listen_address.hpp"
#include "config/address.hpp"
#include "config/files.hpp"
#include "http/listening_socket.hpp"
#include "http/passed_sockets.hpp"
#include "service/command_line.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace trackd::service {

namespace {

constexpr std::size_t largest_token_file = 64 * 1024;
constexpr auto installed_data_directory = "/var/lib/trackd"; // of the package and the image
constexpr std::string_view how_to_name_it = "expected a daemon that runs, or its address: --admin ADDRESS";

std::string read_token(const std::string& file) {
    if (file.empty()) return {};
    std::string token;
    try {
        token = config::read_file(file, largest_token_file);
    } catch (const std::exception& why) {
        throw std::runtime_error{"--token-file: cannot read " + file + ": " + why.what()};
    }
    while (token.ends_with('\n') || token.ends_with('\r'))
        token.pop_back();
    const bool visible = std::ranges::all_of(token, [](char c) { return c > ' ' && c <= '~'; });
    if (token.empty() || !visible)
        throw std::runtime_error{
            "--token-file: " + file + " has no token, expected one line of visible ASCII"
        };
    return token;
}

/// Whether the address alone leads to a listener.
bool can_be_asked(const std::string& address) {
    return !http::is_passed_address(address) && !config::takes_any_port(address);
}

bool names_listener(const std::string& address, const std::string& bound) {
    if (address == bound) return true;
    const auto known = config::normalised_address(address);
    if (!known || known->starts_with(base::socket_file_prefix) || bound.starts_with(base::socket_file_prefix))
        return false;
    const auto asked = http::parse_listen(*known).endpoint;
    const auto there = http::parse_listen(bound).endpoint;
    const bool reaches = there.address().is_unspecified() &&
                         (asked.address().is_loopback() || asked.address().is_unspecified());
    return asked.port() == there.port() && (reaches || asked.address() == there.address());
}

void choose_address(
    daemon_contact& contact, const std::optional<admin_option>& typed,
    const config::daemon_location& configured, const found_admin_file& left
) {
    const auto& listen = configured.admin.listen;
    const auto known = std::ranges::find_if(listen, can_be_asked);
    if (typed) {
        contact.address = typed->address;
        contact.source = "--admin";
        return;
    }
    const bool listen_wins = configured.listen_typed && known != listen.end();
    if (left.access && !listen_wins) {
        contact.address = left.access->listen.front();
        contact.source = admin_file_path(configured.data_dir).string();
        contact.runs = true;
        return;
    }
    if (!left.problem.empty()) contact.notes.push_back(left.problem);
    if (!configured.problem.empty()) contact.notes.push_back(configured.problem);
    if (known == listen.end()) {
        auto text = "no daemon has left its address in " + configured.data_dir + ", and admin.listen is \"" +
                    listen.front() + "\", which leads to none; " + std::string{how_to_name_it};
        throw no_daemon{with_notes(std::move(text), contact.notes)};
    }
    contact.address = *known;
    contact.source = "admin.listen";
}

void choose_certificate(
    daemon_contact& contact, const std::optional<bool>& tls, const config::daemon_location& configured,
    const admin_access* left
) {
    const bool from_left = left && !configured.certificate_typed;
    if (tls != false) contact.certificate = from_left ? left->certificate : configured.admin.tls.certificate;
    if (tls == true && contact.certificate.empty())
        throw std::invalid_argument{
            "--admin: found https, but no certificate to know the daemon by; expected its file: --set "
            "admin.tls.certificate=FILE"
        };
}

} // namespace

std::string with_notes(std::string text, const std::vector<std::string>& notes) {
    for (const auto& note : notes)
        text += "; " + note;
    return text;
}

admin_option parse_admin_option(std::string_view text) {
    const auto wrong = [text] {
        return std::invalid_argument{
            "--admin: found " + std::string{text} +
            ", expected HOST:PORT, http://HOST:PORT, https://HOST:PORT or unix:/PATH"
        };
    };
    admin_option option;
    auto rest = text;
    for (const auto& [scheme, tls] : {std::pair{std::string_view{"http://"}, false}, {"https://", true}}) {
        if (!rest.starts_with(scheme)) continue;
        option.tls = tls;
        rest.remove_prefix(scheme.size());
        if (rest.ends_with('/')) rest.remove_suffix(1);
    }
    if (const auto known = config::normalised_address(rest)) {
        const bool file_with_scheme = option.tls && known->starts_with(base::socket_file_prefix);
        if (!can_be_asked(*known) || file_with_scheme) throw wrong();
        option.address = *known;
        return option;
    }
    const auto colon = rest.rfind(':');
    if (colon == std::string_view::npos || colon == 0) throw wrong();
    const auto host = rest.substr(0, colon);
    const auto in_host = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-' || c == '_';
    };
    const auto port = base::parse_port(rest.substr(colon + 1));
    if (!std::ranges::all_of(host, in_host) || port.value_or(0) == 0) throw wrong();
    option.address = rest;
    return option;
}

daemon_contact choose_contact(
    const std::optional<admin_option>& typed, const std::string& typed_token,
    const config::daemon_location& configured, const found_admin_file& left
) {
    daemon_contact contact;
    choose_address(contact, typed, configured, left);
    const auto is_this = [&](const auto& bound) { return names_listener(contact.address, bound); };
    const auto* access =
        left.access && std::ranges::any_of(left.access->listen, is_this) ? &*left.access : nullptr;
    choose_certificate(contact, typed ? typed->tls : std::nullopt, configured, access);
    if (!typed_token.empty())
        contact.token = typed_token;
    else
        contact.token = access && !configured.token_typed ? access->token : configured.admin.token;
    return contact;
}

daemon_contact find_daemon(const daemon_query& query) {
    std::optional<admin_option> typed;
    if (!query.admin.empty()) typed = parse_admin_option(query.admin);
    const auto token = read_token(query.token_file);
    auto configured = config::load_location(query.sources);
    auto left = read_admin_file(configured.data_dir);
    const bool unknown = !configured.data_dir_given &&
                         (!configured.problem.empty() || query.sources.file == installed_configuration);
    if (unknown && !left.access) {
        if (auto installed = read_admin_file(installed_data_directory); installed.access) {
            left = std::move(installed);
            configured.data_dir = installed_data_directory;
        }
    }
    return choose_contact(typed, token, configured, left);
}

} // namespace trackd::service
