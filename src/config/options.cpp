// The table itself. Defaults are the structs' own: settings.hpp.
#include "config/options.hpp"

#include "config/key_rules.hpp"

#include <array>

namespace trackd::config {
namespace {

/// The way to a member of a member: `at<settings, &settings::http, &http_settings::listen>`.
template <class Owner, auto... Path>
slot at(Owner& owner) {
    return &(owner.*....*Path);
}

template <auto... Path>
constexpr auto of = &at<settings, Path...>;

template <auto... Path>
constexpr auto of_sink = &at<sink_settings, Path...>;

template <auto... Path>
constexpr auto of_key = &at<key_settings, Path...>;

constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t gib = 1024 * mib;
constexpr std::int64_t tib = 1024 * gib;
constexpr std::int64_t pib = 1024 * tib;
constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t longest_path = 4095;
constexpr auto reload = changed_by::reload;

constexpr auto all_options = std::to_array<option<settings>>({
    {"data_dir", of<&settings::data_dir>, form::path, 1, longest_path,
     "The directory of everything that trackd keeps. It is created if missing, readable by its owner only; "
     "a relative path starts at the working directory."},

    {"http.listen", of<&settings::http, &http_settings::listen>, form::address_list, 1, 64,
     "Where events are received: one address or an array of them. A host is numeric (IPv6 in brackets), or "
     "`localhost`, which is 127.0.0.1; `*` or nothing means all interfaces, IPv4 and IPv6. Port 0 takes any "
     "free port. `unix:/path` is a socket file; `systemd` stands for the sockets that systemd has opened, "
     "`systemd:NAME` for those of that name."},
    {"http.threads", of<&settings::http, &http_settings::threads>, form::count, 0, 256,
     "How many threads serve connections; 0: one for each processor that trackd may use."},
    {"http.max_body_bytes", of<&settings::http, &http_settings::max_body_bytes>, form::bytes, 1, gib,
     "The largest body of a request; a larger one is answered with 413.", reload},
    {"http.max_decoded_bytes", of<&settings::http, &http_settings::max_decoded_bytes>, form::bytes, 1, gib,
     "The largest body of a request once it is decompressed; a larger one is answered with 413.", reload},
    {"http.max_decoded_ratio", of<&settings::http, &http_settings::max_decoded_ratio>, form::count, 0,
     million,
     "How many times its size a body may grow when it is decompressed, once it is beyond 1MiB; one that "
     "grows "
     "more is answered with 413. 0: any.",
     reload},
    {"http.max_bodies_bytes", of<&settings::http, &http_settings::max_bodies_bytes>, form::bytes, 2,
     1024 * gib,
     "How many bytes the large bodies of all requests that are being read may take together, as they come "
     "and "
     "decompressed; one that finds no room is answered with 503. At least `http.max_body_bytes` and "
     "`http.max_decoded_bytes` together.",
     reload},
    {"http.max_batch_events", of<&settings::http, &http_settings::max_batch_events>, form::count, 1, million,
     "How many events one request may bring; more are answered with 413.", reload},
    {"http.max_event_bytes", of<&settings::http, &http_settings::max_event_bytes>, form::bytes, 1, gib,
     "The largest event, its data and attributes together; a larger one is answered with 413.", reload},
    {"http.max_head_bytes", of<&settings::http, &http_settings::max_head_bytes>, form::bytes, kib, mib,
     "The largest request line and header fields together; larger ones are answered with 431.", reload},
    {"http.max_connections", of<&settings::http, &http_settings::max_connections>, form::count, 0, million,
     "How many connections may be open at a time; 0: as many as the limit on open files leaves room for.",
     reload},
    {"http.max_connections_per_address", of<&settings::http, &http_settings::max_connections_per_address>,
     form::count, 0, million,
     "How many connections one address may have open at a time, an IPv6 address counting as its /64; 0: any "
     "number. More are closed at once. The clients of a trusted proxy count for themselves: with their "
     "connections where the PROXY protocol names them, else with their requests while these are served, of "
     "which more are answered with 429. Behind any other proxy all come from its address.",
     reload},
    {"http.trusted_proxies", of<&settings::http, &http_settings::trusted_proxies>, form::networks, 0, 1000,
     "Whose word is taken for who a client is, in `X-Forwarded-For` or the PROXY protocol: addresses and "
     "networks, such as `10.0.0.0/8` or `2001:db8::1`; `unix` stands for whoever connects through a socket "
     "file. Empty: nobody's."},
    {"http.proxy_protocol", of<&settings::http, &http_settings::proxy_protocol>, form::flag, 0, 0,
     "Whether a connection from a trusted proxy begins with a header of the PROXY protocol, version 1 or 2, "
     "before TLS; one that does not is closed. Others must not send it."},
    {"http.record_client", of<&settings::http, &http_settings::record_client>, form::choice, 0, 0,
     "What each event is told of its client, in the extensions `clientip` and `useragent`. `none`: nothing. "
     "`truncated`: the address without its last part (an IPv4 /24, an IPv6 /48), and the products of the "
     "user agent with their major versions. `full`: both as they came."},
    {"http.head_timeout", of<&settings::http, &http_settings::head_timeout>, form::duration, 1, day,
     "How long a client may take to send a request's head, from its first byte.", reload},
    {"http.body_timeout", of<&settings::http, &http_settings::body_timeout>, form::duration, 1, day,
     "How long a client may take to send a request's body.", reload},
    {"http.min_body_rate", of<&settings::http, &http_settings::min_body_rate>, form::bytes, 0, gib,
     "How many bytes a second a client has to send of a request's body, once it has taken 5 seconds; a "
     "slower one is "
     "answered with 408. 0: any number.",
     reload},
    {"http.idle_timeout", of<&settings::http, &http_settings::idle_timeout>, form::duration, 1, day,
     "How long a connection may wait for its next request.", reload},
    {"http.write_timeout", of<&settings::http, &http_settings::write_timeout>, form::duration, 1, day,
     "How long a client may take to read a response.", reload},
    {"http.cors_origins", of<&settings::http, &http_settings::cors_origins>, form::web_origins, 0, 1000,
     "The web pages whose scripts may send events and read the answers, by their origin; `*`: any; empty: "
     "none.",
     reload},
    {"http.tls.certificate", of<&settings::http, &http_settings::tls, &tls_settings::certificate>, form::path,
     0, longest_path,
     "The file of the certificate, PEM, followed by those that lead to its authority; set with its key, the "
     "listener speaks TLS 1.2 and 1.3 alone. Empty: no TLS. A reload reads both files again.",
     reload},
    {"http.tls.key", of<&settings::http, &http_settings::tls, &tls_settings::key>, form::path, 0,
     longest_path, "The file of its private key, PEM, without a passphrase.", reload},

    {"admin.listen", of<&settings::admin, &admin_settings::listen>, form::address_list, 1, 64,
     "Where health, status and other figures are served, and trackd's own commands ask: written as "
     "`http.listen` is. "
     "Beyond loopback and socket files it needs `admin.token`."},
    {"admin.token", of<&settings::admin, &admin_settings::token>, form::secret, 0, 1024,
     "What has to be shown there, for everything but health, as `Authorization: Bearer TOKEN`: 16 bytes or "
     "more. Needed "
     "where `admin.listen` is more than loopback and socket files. Empty: none.",
     reload},
    {"admin.tls.certificate", of<&settings::admin, &admin_settings::tls, &tls_settings::certificate>,
     form::path, 0, longest_path, "As `http.tls.certificate`, for the admin listener.", reload},
    {"admin.tls.key", of<&settings::admin, &admin_settings::tls, &tls_settings::key>, form::path, 0,
     longest_path, "As `http.tls.key`.", reload},

    {"tracker.ack", of<&settings::tracker, &tracker_settings::ack>, form::choice, 0, 0,
     "What a 201 promises. `accepted`: the event is in memory, and on its way. `journaled`: the journal has "
     "it "
     "on disk, where it survives a crash. `delivered`: every sink has confirmed it. With `backlog.kind = "
     "\"memory\"` there is no journal, and `accepted` or `delivered` has to be chosen."},
    {"tracker.max_pending_events", of<&settings::tracker, &tracker_settings::max_pending_events>, form::count,
     1, 1000 * million,
     "How many events may wait in memory: with a journal those that are not written yet, without one all "
     "that "
     "some sink has not confirmed. At that bound clients are told 503, and when to try again."},
    {"tracker.max_pending_bytes", of<&settings::tracker, &tracker_settings::max_pending_bytes>, form::bytes,
     1, tib, "How many bytes of events may wait in memory, in the same sense and with the same answer."},
    {"tracker.ack_timeout", of<&settings::tracker, &tracker_settings::ack_timeout>, form::duration, 1, day,
     "How long a request waits for its 201 with `ack = \"delivered\"`, before it is told 503: stored, not "
     "yet confirmed."},
    {"tracker.source", of<&settings::tracker, &tracker_settings::source>, form::text, 1, 1024,
     "The `source` of events that come without one.", reload},
    {"tracker.retry.min", of<&settings::tracker, &tracker_settings::retry, &retry_settings::min>,
     form::duration, 1, day,
     "The first delay before a failed delivery is tried again; it doubles from attempt to attempt."},
    {"tracker.retry.max", of<&settings::tracker, &tracker_settings::retry, &retry_settings::max>,
     form::duration, 1, day, "The longest such delay, not below `tracker.retry.min`."},
    {"tracker.retry.max_age", of<&settings::tracker, &tracker_settings::retry, &retry_settings::max_age>,
     form::duration, 0, 365 * day,
     "How long a write may fail before its events become dead letters; 0s: it is tried again for ever."},

    {"backlog.kind", of<&settings::backlog, &backlog_settings::kind>, form::choice, 0, 0,
     "Where events wait for their sinks. `journal`: in files below `data_dir`, where they survive the end of "
     "the process and of the machine. `memory`: they are lost with the process, unless it drains in time."},

    {"journal.segment_bytes", of<&settings::journal, &journal_settings::segment_bytes>, form::bytes, 64 * kib,
     4 * gib,
     "How large each file of the journal is. Room is won back a file at a time, once every sink has all of "
     "it."},
    {"journal.max_bytes", of<&settings::journal, &journal_settings::max_bytes>, form::bytes, 128 * kib, pib,
     "How much disk the journal may take, at least two segments; at that bound clients are told 503, and "
     "when "
     "to try again."},
    {"journal.min_free_bytes", of<&settings::journal, &journal_settings::min_free_bytes>, form::bytes, 0, pib,
     "How much of the disk the journal leaves to others; it behaves there as at `journal.max_bytes`. 0: it "
     "may "
     "fill the disk up."},
    {"journal.sync", of<&settings::journal, &journal_settings::sync>, form::choice, 0, 0,
     "When events count as stored. `always`: when the disk has them (fdatasync). `interval`: when they are "
     "written, and the disk is told every `journal.sync_interval`; `never`: when they are written, and the "
     "system tells the disk when it likes: with these two a power cut can take events that were stored, so "
     "they "
     "need `tracker.ack = \"accepted\"`."},
    {"journal.sync_interval", of<&settings::journal, &journal_settings::sync_interval>, form::duration, 1,
     hour, "How long written events wait for the disk with `journal.sync = \"interval\"`, at most."},

    {"dead_letters.max_bytes", of<&settings::dead_letters, &dead_letter_settings::max_bytes>, form::bytes,
     mib, pib,
     "How many bytes of events that it will never take are kept for each sink, in "
     "`data_dir/dead-letters/NAME.jsonl`. At that bound the sink stops until there is room: nothing is "
     "dropped."},

    {"readiness.require_sinks", of<&settings::readiness, &readiness_settings::require_sinks>, form::text_list,
     0, 1000,
     "The sinks, by their names, without which trackd is not ready: while one of them is failing, `/readyz` "
     "says 503, that of `admin.listen` with its name. Events are taken all the same. Empty: sinks are no "
     "matter of readiness."},
    {"readiness.sink_grace", of<&settings::readiness, &readiness_settings::sink_grace>, form::duration, 0,
     day, "How long such a sink may be failing before that."},

    {"shutdown.lame_duck", of<&settings::shutdown, &shutdown_settings::lame_duck>, form::duration, 0, day,
     "How long, after the signal to stop, requests are still served while `/readyz` says 503: the time that "
     "a load balancer needs to notice.",
     reload},
    {"shutdown.request_timeout", of<&settings::shutdown, &shutdown_settings::request_timeout>, form::duration,
     0, day, "Then, how long requests that have begun may take to finish.", reload},
    {"shutdown.idle_timeout", of<&settings::shutdown, &shutdown_settings::idle_timeout>, form::duration, 0,
     day, "Meanwhile, how long an idle connection may still send one more request.", reload},
    {"shutdown.drain_timeout", of<&settings::shutdown, &shutdown_settings::drain_timeout>, form::duration, 0,
     day, "At last, how long pending events are delivered before what is left is given up.", reload},

    {"log.level", of<&settings::log, &log_settings::level>, form::choice, 0, 0,
     "The least severe messages that are written to standard error.", reload},
    {"log.format", of<&settings::log, &log_settings::format>, form::choice, 0, 0,
     "How a line of the log is written: `text` for people, `json` for machines.", reload},
    {"log.file", of<&settings::log, &log_settings::file>, form::path, 0, longest_path,
     "A file that takes what would go to standard error; a new one is readable by its owner and group. Every "
     "reload opens it anew. Empty: standard error.",
     reload},
});

constexpr auto of_every_sink = std::to_array<option<sink_settings>>({
    {"name", of_sink<&sink_settings::name>, form::name, 1, 64,
     "What the sink is called in the log, in figures and in `sinks.NAME.…`; unique, whatever the case of "
     "its letters."},
    {"kind", of_sink<&sink_settings::kind>, form::choice, 0, 0,
     "Where its events end up. `sqlite`: a database; `file`: JSON lines; `log`: trackd's own log; `null`: "
     "nowhere; `postgres`: a PostgreSQL database; `kafka`: topics of Kafka; `http`: whoever takes a POST."},
    {"batch_events", of_sink<&sink_settings::batch_events>, form::count, 1, million,
     "How many events it is given at a time, at most."},
    {"batch_bytes", of_sink<&sink_settings::batch_bytes>, form::bytes, 1, gib,
     "How many bytes of events it is given at a time, at most; one event is given whatever its size."},
    {"linger", of_sink<&sink_settings::linger>, form::duration, 0, hour,
     "How long events in the journal may wait for others, so that it is given more at a time; not while a "
     "request waits for the sinks, nor during a drain."},
    {"start", of_sink<&sink_settings::start>, form::choice, 0, 0,
     "Where a sink begins whose name the journal does not know. `oldest`: with the oldest event that is "
     "kept; "
     "`newest`: with the first one that comes after. One that it knows goes on where it was."},
    {"types", of_sink<&sink_settings::types>, form::text_list, 0, 1000,
     "The types of the events that it is given; `*` stands for anything, and what begins with `!` is left "
     "out: "
     "`[\"order.*\", \"!order.debug\"]`. Empty: all. What it is not given counts as filtered.",
     reload},
    {"sources", of_sink<&sink_settings::sources>, form::text_list, 0, 1000,
     "The sources of the events that it is given, in the same way.", reload},
    {"required", of_sink<&sink_settings::required>, form::flag, 0, 0,
     "Whether `tracker.ack = \"delivered\"` waits for it."},
    {"on_full", of_sink<&sink_settings::on_full>, form::choice, 0, 0,
     "What happens when the journal, or the memory, is full of events that it has not taken yet. `block`: "
     "new "
     "requests are answered with 503 until it has; `skip`, only with `required = false`: it never gets the "
     "oldest ones, which are counted as skipped."},
});

constexpr auto of_sqlite_sinks = std::to_array<option<sink_settings>>({
    {"path", of_sink<&sink_settings::sqlite, &sqlite_sink_settings::path>, form::path, 1, longest_path,
     "The database, created if missing. `{data_dir}` stands for that directory; a relative path starts at "
     "the working directory."},
    {"keep", of_sink<&sink_settings::sqlite, &sqlite_sink_settings::keep>, form::duration, 0, 3650 * day,
     "How long after its `received_at` a row stays before it is deleted; 0s: for ever."},
    {"indexes", of_sink<&sink_settings::sqlite, &sqlite_sink_settings::indexes>, form::flag, 0, 0,
     "Whether the table has trackd's index on `time`. `false` removes it, which makes writing faster."},
});

constexpr auto of_file_sinks = std::to_array<option<sink_settings>>({
    {"path", of_sink<&sink_settings::file, &file_sink_settings::path>, form::path, 1, longest_path,
     "The file, one CloudEvents JSON event a line, created if missing. `{data_dir}` stands for that "
     "directory; a relative path starts at the working directory."},
    {"rotate_bytes", of_sink<&sink_settings::file, &file_sink_settings::rotate_bytes>, form::bytes, 0, tib,
     "At which size a new file is begun; 0: never because of its size."},
    {"rotate_every", of_sink<&sink_settings::file, &file_sink_settings::rotate_every>, form::duration, 0,
     365 * day, "At which age a new file is begun; 0s: never because of its age."},
    {"keep_files", of_sink<&sink_settings::file, &file_sink_settings::keep_files>, form::count, 0, million,
     "How many files that are done with are kept, the oldest being removed first; 0: all."},
    {"sync", of_sink<&sink_settings::file, &file_sink_settings::sync>, form::flag, 0, 0,
     "Whether events count as delivered only once the disk has them (fdatasync), and not just the system's "
     "memory."},
    {"compress", of_sink<&sink_settings::file, &file_sink_settings::compress>, form::choice, 0, 0,
     "How files that are done with are packed, when the next one is begun: `zstd` makes `NAME.zst` of them."},
});

constexpr auto of_log_sinks = std::to_array<option<sink_settings>>({
    {"level", of_sink<&sink_settings::log, &log_sink_settings::level>, form::choice, 0, 0,
     "The level that its lines have."},
    {"simulate_latency", of_sink<&sink_settings::log, &log_sink_settings::simulate_latency>, form::duration,
     0, hour, "How long each event takes, for demonstrations and tests."},
});

constexpr auto of_postgres_sinks = std::to_array<option<sink_settings>>({
    {"connection", of_sink<&sink_settings::postgres, &postgres_sink_settings::connection>, form::secret, 0,
     longest_path,
     "The server and the database, as libpq takes them: `host=db.example dbname=tracking user=trackd`, or "
     "`postgresql://trackd@db.example/tracking`. What is missing there is taken from `PGHOST`, `PGPASSWORD` "
     "and the others, from `~/.pgpass`, or is libpq's default."},
    {"table", of_sink<&sink_settings::postgres, &postgres_sink_settings::table>, form::text, 1, 127,
     "The table, with or without its schema: `events`, `tracking.events`. The case of its letters counts."},
    {"create_table", of_sink<&sink_settings::postgres, &postgres_sink_settings::create_table>, form::flag, 0,
     0, "Whether the table is made where it is missing."},
    {"connect_timeout", of_sink<&sink_settings::postgres, &postgres_sink_settings::connect_timeout>,
     form::duration, 100, hour, "How long each host may take to be connected with."},
    {"statement_timeout", of_sink<&sink_settings::postgres, &postgres_sink_settings::statement_timeout>,
     form::duration, 100, day,
     "How long one write may take in the server, which then ends it, before it is tried again."},
});

constexpr auto of_kafka_sinks = std::to_array<option<sink_settings>>({
    {"brokers", of_sink<&sink_settings::kafka, &kafka_sink_settings::brokers>, form::text_list, 1, 100,
     "Some of the cluster's brokers, each `HOST:PORT`; they name the others."},
    {"topic", of_sink<&sink_settings::kafka, &kafka_sink_settings::topic>, form::text, 1, 249,
     "The topic. `{type}` and `{source}` stand for the event's, with `_` for what Kafka allows in no topic's "
     "name."},
    {"key", of_sink<&sink_settings::kafka, &kafka_sink_settings::key>, form::choice, 0, 0,
     "Which attribute is the messages' key: events of one key stay in one partition, in their order. `none`: "
     "no key, and no such order."},
    {"format", of_sink<&sink_settings::kafka, &kafka_sink_settings::format>, form::choice, 0, 0,
     "How an event becomes a message. `binary`: its data is the value, its attributes are headers; "
     "`structured`: the value is CloudEvents JSON."},
    {"compression", of_sink<&sink_settings::kafka, &kafka_sink_settings::compression>, form::choice, 0, 0,
     "How batches of messages are compressed."},
    {"timeout", of_sink<&sink_settings::kafka, &kafka_sink_settings::timeout>, form::duration, 100, hour,
     "How long brokers may confirm nothing, before the write counts as failed and is tried again."},
    {"properties", of_sink<&sink_settings::kafka, &kafka_sink_settings::properties>, form::text_map, 0, 1000,
     "Further properties of librdkafka, by their names; passwords among them are masked by `trackd config`."},
});

constexpr auto of_http_sinks = std::to_array<option<sink_settings>>({
    {"url", of_sink<&sink_settings::http, &http_sink_settings::url>, form::secret, 0, longest_path,
     "Where events are POSTed: `https://collector.example/events`. Redirects are not followed."},
    {"format", of_sink<&sink_settings::http, &http_sink_settings::format>, form::choice, 0, 0,
     "How events are written, each in the JSON format of CloudEvents. `ndjson`: one a line; `json`: an "
     "array; "
     "`cloudevents`: an array, called a batch of CloudEvents."},
    {"headers", of_sink<&sink_settings::http, &http_sink_settings::headers>, form::secret_list, 0, 100,
     "Header fields of every request: `\"Authorization: Bearer ${TOKEN}\"`. A `Content-Type` takes the place "
     "of the format's own."},
    {"compression", of_sink<&sink_settings::http, &http_sink_settings::compression>, form::choice, 0, 0,
     "How bodies are packed, as their `Content-Encoding` says."},
    {"timeout", of_sink<&sink_settings::http, &http_sink_settings::timeout>, form::duration, 100, hour,
     "How long a request may take, with its answer, before it is tried again."},
    {"connect_timeout", of_sink<&sink_settings::http, &http_sink_settings::connect_timeout>, form::duration,
     100, hour, "How long it may take to be connected, TLS included."},
    {"ca_file", of_sink<&sink_settings::http, &http_sink_settings::ca_file>, form::path, 0, longest_path,
     "The file of the authorities that may have signed the server's certificate, PEM. Empty: the system's."},
    {"client_certificate", of_sink<&sink_settings::http, &http_sink_settings::client_certificate>, form::path,
     0, longest_path, "The file of the certificate that the server is shown, PEM. Empty: none."},
    {"client_key", of_sink<&sink_settings::http, &http_sink_settings::client_key>, form::path, 0,
     longest_path, "The file of its private key, PEM, without a passphrase. Empty: it is in the same file."},
    {"verify", of_sink<&sink_settings::http, &http_sink_settings::verify>, form::flag, 0, 0,
     "Whether the server has to prove who it is. `false` lets anybody in between read and change the events."
    },
    {"delivered_statuses", of_sink<&sink_settings::http, &http_sink_settings::delivered_statuses>,
     form::statuses, 1, 100,
     "The answers after which a batch is delivered: statuses such as `204`, or classes of them such as "
     "`2xx`. A "
     "status itself counts before its class."},
    {"retried_statuses", of_sink<&sink_settings::http, &http_sink_settings::retried_statuses>, form::statuses,
     0, 100,
     "The answers after which it is sent again, in the same way. So it is after all that are in none of the "
     "three."},
    {"refused_statuses", of_sink<&sink_settings::http, &http_sink_settings::refused_statuses>, form::statuses,
     0, 100,
     "The answers that reject it for its content, in the same way: it is halved, and an event that is "
     "rejected alone while others pass is a dead letter."},
});

constexpr auto of_every_key = std::to_array<option<key_settings>>({
    {"name", of_key<&key_settings::name>, form::name, 1, 64,
     "What the key is called in the log and in `keys.NAME.…`, and the `source` of its events that come "
     "without one; unique, whatever the case of its letters, and not `none` or `other`.",
     reload},
    {"sha256", of_key<&key_settings::sha256>, form::sha256, 1, max_key_hashes,
     "The SHA-256 of the key, so that nobody learns the key here. `trackd key new NAME` makes both. An "
     "array holds several while clients move to a new key: each of them is accepted. No hash stands twice.",
     reload},
    {"sources", of_key<&key_settings::sources>, form::text_list, 0, 1000,
     "The sources that its events may name, beside the key's own name; empty: any. Others are answered with "
     "403.",
     reload},
    {"origins", of_key<&key_settings::origins>, form::web_origins, 0, 1000,
     "The web pages that may use it, by their origin; empty: any. Requests of others are answered with 403; "
     "those that come from no web page are not touched by it.",
     reload},
    {"events_per_second", of_key<&key_settings::events_per_second>, form::count, 0, 1000 * million,
     "How many events it may send, with as much at once as one second brings; 0: any number. At that bound "
     "clients are told 429, and when to try again.",
     reload},
    {"bytes_per_second", of_key<&key_settings::bytes_per_second>, form::bytes, 0, tib,
     "How many bytes of bodies it may send, in the same sense and with the same answer; 0: any number.",
     reload},
});

constexpr std::array all_sink_kinds{sink_kind::sqlite,   sink_kind::file,  sink_kind::log, sink_kind::null,
                                    sink_kind::postgres, sink_kind::kafka, sink_kind::http};

} // namespace

std::span<const option<settings>> options() noexcept {
    return all_options;
}

std::span<const option<sink_settings>> sink_options() noexcept {
    return of_every_sink;
}

std::span<const option<sink_settings>> sink_options(sink_kind kind) noexcept {
    switch (kind) {
    case sink_kind::sqlite: return of_sqlite_sinks;
    case sink_kind::file: return of_file_sinks;
    case sink_kind::log: return of_log_sinks;
    case sink_kind::null: return {};
    case sink_kind::postgres: return of_postgres_sinks;
    case sink_kind::kafka: return of_kafka_sinks;
    case sink_kind::http: return of_http_sinks;
    }
    return {};
}

std::span<const option<key_settings>> key_options() noexcept {
    return of_every_key;
}

std::span<const sink_kind> sink_kinds() noexcept {
    return all_sink_kinds;
}

const option<sink_settings>* find_sink_option(std::string_view key) noexcept {
    if (const auto* common = find(sink_options(), key)) return common;
    for (const auto kind : sink_kinds()) {
        if (const auto* own = find(sink_options(kind), key)) return own;
    }
    return nullptr;
}

} // namespace trackd::config
