// One function for each rule between options.
#include "config/check.hpp"

#include "config/address.hpp"
#include "config/key_rules.hpp"
#include "config/options.hpp"
#include "config/overlay.hpp"
#include "config/statuses.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

namespace trackd::config {
namespace {

constexpr std::string_view data_dir_mark = "{data_dir}";

/// Where the option was set, or else the other one.
const origin& place(const origins& where, const std::string& key, const std::string& other) {
    const auto found = where.find(key);
    return found != where.end() ? found->second : where.at(other);
}

/// A default that was put aside in silence would be a 201 that means less than the documents say. So whoever
/// wants the memory has to say what a 201 shall mean.
void check_ack(const reading& all, problems& found) {
    if (all.result.tracker.ack != ack_mode::journaled || all.result.backlog.kind != backlog_kind::memory)
        return;
    if (all.wrong.contains("tracker.ack")) return;
    if (const auto set = all.where.find("tracker.ack"); set != all.where.end()) {
        found.add(
            set->second, "tracker.ack",
            "\"journaled\" cannot be promised with backlog.kind = \"memory\", which keeps nothing on disk; "
            "expected \"accepted\" or \"delivered\", or backlog.kind = \"journal\""
        );
        return;
    }
    found.add(
        all.where.at("backlog.kind"), "backlog.kind",
        "\"memory\" keeps nothing on disk, which is what a 201 promises by default; set tracker.ack, too: to "
        "\"accepted\" (a 201 means: in memory) or \"delivered\" (a 201 means: every sink has it)"
    );
}

void check_journal_bytes(const reading& all, problems& found) {
    const auto& journal = all.result.journal;
    if (journal.max_bytes / 2 >= journal.segment_bytes) return;
    if (all.wrong.contains("journal.max_bytes") || all.wrong.contains("journal.segment_bytes")) return;
    found.add(
        place(all.where, "journal.max_bytes", "journal.segment_bytes"), "journal.max_bytes",
        "found " + in_quotes(format_size(journal.max_bytes)) + ", expected at least two segments, which is " +
            in_quotes(format_size(2 * journal.segment_bytes)) + ": journal.segment_bytes is " +
            in_quotes(format_size(journal.segment_bytes))
    );
}

/// Both other promises need the disk: "journaled" is nothing else, and with "delivered" a request that waited in
/// vain is told that its events are stored.
void check_sync(const reading& all, problems& found) {
    const auto ack = all.result.tracker.ack;
    const auto sync = all.result.journal.sync;
    const bool journal = all.result.backlog.kind == backlog_kind::journal;
    if (!journal || sync == journal_sync::always || ack == ack_mode::accepted) return;
    if (all.wrong.contains("tracker.ack")) return;
    found.add(
        all.where.at("journal.sync"), "journal.sync",
        "found " + in_quotes(to_string(sync)) +
            ", with which an event counts as stored before the disk has it, but tracker.ack = " +
            in_quotes(to_string(ack)) +
            " tells clients that it is safe; expected \"always\", or tracker.ack = "
            "\"accepted\""
    );
}

/// The largest request must have a chance, if only when nobody else sends one.
void check_bodies_bytes(const reading& all, problems& found) {
    const auto& http = all.result.http;
    const auto least = http.max_body_bytes + http.max_decoded_bytes;
    if (http.max_bodies_bytes >= least) return;
    const std::initializer_list<std::string> keys = {
        "http.max_bodies_bytes", "http.max_body_bytes", "http.max_decoded_bytes"
    };
    if (std::ranges::any_of(keys, [&](const auto& key) { return all.wrong.contains(key); })) return;
    const auto set = std::ranges::find_if(keys, [&](const auto& key) { return all.where.contains(key); });
    found.add(
        all.where.at(*set), "http.max_bodies_bytes",
        "found " + in_quotes(format_size(http.max_bodies_bytes)) +
            ", expected at least http.max_body_bytes and http.max_decoded_bytes together, which is " +
            in_quotes(format_size(least))
    );
}

/// The start would say only that the address is in use.
void check_listen_pair(
    const reading& all, const std::string& key, const std::string& address, const std::string& other_key,
    const std::string& other, problems& found
) {
    if (!exclude_each_other(address, other)) return;
    const bool same = address == other;
    found.add(
        place(all.where, key, other_key), key,
        "found " + in_quotes(address) + ", which " + other_key +
            (same ? " has, too" : " excludes by " + in_quotes(other)) + "; expected a socket of its own" +
            (address == "systemd" ? ", such as \"systemd:NAME\"" : "")
    );
}

void check_listen(const reading& all, problems& found) {
    const std::string http = "http.listen";
    const std::string admin = "admin.listen";
    const auto& ingest = all.result.http.listen;
    const auto& own = all.result.admin.listen;
    if (all.wrong.contains(http) || all.wrong.contains(admin)) return;
    const auto check_earlier = [&](const std::string& key, const addresses& list, std::size_t index) {
        for (std::size_t i = 0; i < index; ++i)
            check_listen_pair(all, key, list[index], key, list[i], found);
    };
    for (std::size_t i = 0; i < ingest.size(); ++i)
        check_earlier(http, ingest, i);
    for (std::size_t i = 0; i < own.size(); ++i) {
        check_earlier(admin, own, i);
        for (const auto& other : ingest)
            check_listen_pair(all, admin, own[i], http, other, found);
    }
}

/// Whoever reaches that listener sees all figures, and may change things: let it not be anybody.
void check_admin_token(const reading& all, problems& found) {
    const auto& admin = all.result.admin;
    constexpr std::size_t least = 16;
    const bool visible = std::ranges::all_of(admin.token, [](char c) { return c > ' ' && c <= '~'; });
    if (!admin.token.empty() && (admin.token.size() < least || !visible)) {
        found.add(
            all.where.at("admin.token"), "admin.token",
            "found a value that is not shown, expected at least " + std::to_string(least) +
                " characters, all of them visible ones of ASCII, such as `openssl rand -hex 32` makes"
        );
    }
    if (!admin.token.empty() || all.wrong.contains("admin.token")) return;
    const auto open = std::ranges::find_if_not(admin.listen, is_local);
    if (open == admin.listen.end()) return;
    found.add(
        all.where.at("admin.listen"), "admin.listen",
        "found " + in_quotes(*open) +
            ", which others than this machine can reach, and no admin.token to know them by, expected "
            "admin.token to "
            "be set, too, or an address such as \"127.0.0.1:8081\""
    );
}

/// With nobody to believe, every connection would speak plain HTTP, whatever the proxies begin with.
void check_proxy_protocol(const reading& all, problems& found) {
    const auto& http = all.result.http;
    if (!http.proxy_protocol || !http.trusted_proxies.empty()) return;
    if (all.wrong.contains("http.trusted_proxies")) return;
    found.add(
        all.where.at("http.proxy_protocol"), "http.proxy_protocol",
        "found true, but there are no http.trusted_proxies whose headers could be believed, expected the "
        "addresses of the proxies there"
    );
}

void check_tls(const reading& all, std::string_view listener, const tls_settings& tls, problems& found) {
    if (tls.certificate.empty() == tls.key.empty()) return;
    const auto prefix = std::string{listener} + ".tls.";
    const auto certificate = prefix + "certificate";
    const auto key = prefix + "key";
    const auto& [set, missing] = tls.key.empty() ? std::tie(certificate, key) : std::tie(key, certificate);
    if (all.wrong.contains(missing)) return;
    found.add(all.where.at(set), set, "found it without " + missing + ", expected both or neither");
}

void check_retry(const reading& all, problems& found) {
    const auto& retry = all.result.tracker.retry;
    if (retry.min <= retry.max) return;
    found.add(
        place(all.where, "tracker.retry.min", "tracker.retry.max"), "tracker.retry.min",
        "found " + in_quotes(format(retry.min)) + ", expected at most tracker.retry.max, which is " +
            in_quotes(format(retry.max))
    );
}

void check_names(const reading& all, problems& found) {
    const auto& sinks = all.result.sinks;
    for (std::size_t i = 0; i < sinks.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (sinks[i].name.empty() || !same_name(sinks[i].name, sinks[j].name)) continue;
            const auto key = sink_key(sinks[i]) + ".name";
            found.add(
                all.where.at(key), key,
                "another sink is named " + in_quotes(sinks[j].name) +
                    ", expected names that differ in more than case, or - for _"
            );
            break;
        }
    }
}

/// A pattern that fits nothing was meant to be another one.
void check_patterns(const reading& all, const sink_settings& sink, std::string_view option, problems& found) {
    const auto key = sink_key(sink) + "." + std::string{option};
    for (const auto& pattern : option == "types" ? sink.types : sink.sources) {
        if (pattern != "!") continue;
        found.add(
            all.where.at(key), key, "found \"!\", expected a pattern behind it, such as \"!order.debug\""
        );
    }
}

void check_on_full(const reading& all, const sink_settings& sink, problems& found) {
    if (!sink.required || sink.on_full != when_full::skip) return;
    const auto key = sink_key(sink) + ".on_full";
    if (all.wrong.contains(sink_key(sink) + ".required")) return;
    found.add(
        all.where.at(key), key,
        "found \"skip\" for a sink that is required, expected \"block\", or required = false"
    );
}

struct status_list {
    std::string key;
    strings& statuses;
    bool given;
};

void check_redirects(const reading& all, const status_list& in, problems& found) {
    const auto redirect =
        std::ranges::find_if(in.statuses, [](const auto& status) { return status.front() == '3'; });
    if (!in.given || redirect == in.statuses.end()) return;
    found.add(
        all.where.at(in.key), in.key,
        "found " + in_quotes(*redirect) +
            ", a redirect, which is not followed and says nothing of the events, expected it in "
            "retried_statuses or nowhere"
    );
}

void give_way(strings& defaults, const strings& to) {
    std::erase_if(defaults, [&](const auto& status) {
        return !is_class(status) && std::ranges::find(to, status) != to.end();
    });
}

/// A status that one list was given leaves the defaults of the other. What they share then is a contradiction.
void settle_statuses(const reading& all, const status_list& one, const status_list& other, problems& found) {
    if (!one.given && !other.given) return;
    if (!one.given) give_way(one.statuses, other.statuses);
    if (!other.given) give_way(other.statuses, one.statuses);
    const auto shared = std::ranges::find_first_of(one.statuses, other.statuses);
    if (shared == one.statuses.end()) return;
    const auto& [told, with] = other.given ? std::tie(other, one) : std::tie(one, other);
    found.add(
        all.where.at(told.key), told.key,
        "found " + in_quotes(*shared) + ", which " + with.key +
            (with.given ? " has, too" : " has by default") + ", expected it in one of them"
    );
}

void finish_statuses(
    const reading& all, http_sink_settings& sink, const std::string& prefix, problems& found
) {
    const auto list = [&](const char* option, strings& statuses) {
        const auto key = prefix + option;
        return status_list{key, statuses, all.where.contains(key) && !all.wrong.contains(key)};
    };
    const auto delivered = list(".delivered_statuses", sink.delivered_statuses);
    const auto retried = list(".retried_statuses", sink.retried_statuses);
    const auto refused = list(".refused_statuses", sink.refused_statuses);
    check_redirects(all, delivered, found);
    check_redirects(all, refused, found);
    settle_statuses(all, delivered, retried, found);
    settle_statuses(all, delivered, refused, found);
    settle_statuses(all, retried, refused, found);
}

void check_sinks(reading& all, problems& found) {
    auto& sinks = all.result.sinks;
    for (auto& sink : sinks) {
        check_patterns(all, sink, "types", found);
        check_patterns(all, sink, "sources", found);
        check_on_full(all, sink, found);
        finish_statuses(all, sink.http, sink_key(sink), found);
    }
    const bool any_required = std::ranges::any_of(sinks, &sink_settings::required);
    if (any_required || all.result.tracker.ack != ack_mode::delivered || all.wrong.contains("tracker.ack"))
        return;
    found.add(
        all.where.at("tracker.ack"), "tracker.ack",
        "\"delivered\" waits for the sinks that are required, and there is none; expected another value, or "
        "a "
        "sink without required = false"
    );
}

/// A sink that is not there would never fail.
void check_required_sinks(const reading& all, problems& found) {
    const auto& sinks = all.result.sinks;
    std::string names;
    for (const auto& sink : sinks)
        names += (names.empty() ? "" : ", ") + in_quotes(sink.name);
    for (const auto& wanted : all.result.readiness.require_sinks) {
        if (std::ranges::find(sinks, wanted, &sink_settings::name) != sinks.end()) continue;
        found.add(
            all.where.at("readiness.require_sinks"), "readiness.require_sinks",
            "found " + in_quotes(wanted) + ", which no sink is named, expected names out of " + names
        );
    }
}

/// Where the sink stores its events, if that is a file.
std::string* path_of(sink_settings& sink) {
    switch (sink.kind) {
    case sink_kind::sqlite: return &sink.sqlite.path;
    case sink_kind::file: return &sink.file.path;
    case sink_kind::log:
    case sink_kind::null:
    case sink_kind::postgres:
    case sink_kind::kafka:
    case sink_kind::http: return nullptr;
    }
    return nullptr;
}

void put_in(std::string& path, const std::string& data_dir) {
    for (auto at = path.find(data_dir_mark); at != std::string::npos; at = path.find(data_dir_mark, at)) {
        path.replace(at, data_dir_mark.size(), data_dir);
        at += data_dir.size();
    }
}

/// Two writers would spoil a file for each other.
void check_path(
    const reading& all, const std::vector<std::string>& taken, const sink_settings& sink,
    const std::string& path, problems& found
) {
    for (const auto& other : taken) {
        if (std::filesystem::path{other}.lexically_normal() != std::filesystem::path{path}.lexically_normal())
            continue;
        const auto key = sink_key(sink) + ".path";
        found.add(
            place(all.where, key, sink_key(sink) + ".name"), key,
            "found " + in_quotes(path) + ", which another sink writes to, expected a path of its own"
        );
        return;
    }
}

void finish_paths(reading& all, problems& found) {
    std::vector<std::string> taken;
    for (auto& sink : all.result.sinks) {
        auto* path = path_of(sink);
        if (!path || sink.name.empty()) continue;
        put_in(*path, all.result.data_dir);
        check_path(all, taken, sink, *path, found);
        taken.push_back(*path);
    }
}

void check_data_dir(const reading& all, problems& found) {
    if (all.result.data_dir.find(data_dir_mark) == std::string::npos) return;
    found.add(all.where.at("data_dir"), "data_dir", "found {data_dir} in itself, expected a path");
}

} // namespace

void finish(reading& all, problems& found) {
    check_data_dir(all, found);
    check_ack(all, found);
    check_journal_bytes(all, found);
    check_sync(all, found);
    check_bodies_bytes(all, found);
    check_listen(all, found);
    check_admin_token(all, found);
    check_proxy_protocol(all, found);
    check_tls(all, "http", all.result.http.tls, found);
    check_tls(all, "admin", all.result.admin.tls, found);
    check_retry(all, found);
    check_names(all, found);
    check_sinks(all, found);
    check_required_sinks(all, found);
    check_keys(all, found);
    finish_paths(all, found);
}

} // namespace trackd::config
