#include "sinks/kafka.hpp"

#include "base/json_text.hpp"
#include "sinks/kafka_configuration.hpp"
#include "sinks/kafka_errors.hpp"
#include "sinks/kafka_log.hpp"
#include "sinks/kafka_timestamps.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <librdkafka/rdkafka.h>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <sys/types.h>
#include <unordered_map>
#include <utility>

namespace trackd::sinks {

namespace {

using code = rd_kafka_resp_err_t;
using clock = std::chrono::steady_clock;

constexpr int wait_ms = 100;              // between two looks at whether anybody still waits
constexpr std::size_t most_topics = 1000; // of one producer, which forgets none

struct delivered {
    std::size_t confirmed = 0; // from the first on
    std::size_t produced = 0;  // from the first on
    code failure = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string topic{}; // of what has failed
};

// One client of librdkafka, good for writes as long as all that it is given is delivered.
class producer {
public:
    producer(const kafka_options& options, kafka_log& log)
        : timeout_{options.timeout}, writer_{options.topic, options.key, options.format}, log_{log} {
        auto how = make_kafka_configuration(options);
        rd_kafka_conf_set_opaque(how.get(), this);
        rd_kafka_conf_set_dr_msg_cb(how.get(), &producer::on_report);
        rd_kafka_conf_set_log_cb(how.get(), &producer::on_log);
        client_ = make_kafka_client(std::move(how)).release();
    }

    ~producer() {
        for (const auto& [name, topic] : topics_)
            rd_kafka_topic_destroy(topic);
        rd_kafka_destroy(client_);
    }

    producer(const producer&) = delete;
    producer& operator=(const producer&) = delete;

    // Ends when all have their report, when `stop` is requested, or when nothing was reported for too long.
    delivered
    deliver(std::span<const event_view> events, kafka_timestamps& times, const std::stop_token& stop) {
        reports_.assign(events.size(), RD_KAFKA_RESP_ERR__IN_PROGRESS);
        reported_ = 0;
        progress_ = clock::now();
        delivered result;
        while (result.produced < events.size() &&
               produce(
                   writer_.write(events[result.produced], times.of(events[result.produced].received_at)),
                   result.produced, stop
               ))
            ++result.produced;
        while (reported_ < result.produced && !is_over(stop))
            rd_kafka_flush(client_, wait_ms);
        const auto first_missing =
            std::ranges::find_if(reports_, [](code report) { return report != RD_KAFKA_RESP_ERR_NO_ERROR; });
        result.confirmed = static_cast<std::size_t>(first_missing - reports_.begin());
        if (result.confirmed < events.size()) explain(events, result);
        for (auto i = result.confirmed; i < result.produced; ++i)
            if (reports_[i] == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP) times.refused(events[i].received_at);
        return result;
    }

    [[nodiscard]] bool is_worn_out() const { return topics_.size() > most_topics; }

    // Empty if there is none. After it, nothing can be produced any more.
    [[nodiscard]] std::string fatal_error() const {
        std::array<char, longest_kafka_error> text{};
        const auto what = rd_kafka_fatal_error(client_, text.data(), text.size());
        return what == RD_KAFKA_RESP_ERR_NO_ERROR ? std::string{} : base::json_string(text.data());
    }

private:
    struct view_hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    using topics = std::unordered_map<std::string, rd_kafka_topic_t*, view_hash, std::equal_to<>>;

    // In librdkafka's threads.
    static void on_log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
        // What is experimental is for us to know, and what we let go of is in the backlog.
        const std::string_view what{facility};
        const std::string_view line{text};
        if (what == "TERMINATE" || (what == "CONFWARN" && line.find("enable.gapless") != line.npos)) return;
        static_cast<producer*>(rd_kafka_opaque(client))->log_.line(level, line);
    }

    // In `rd_kafka_flush` and `rd_kafka_poll`.
    static void on_report(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
        auto& self = *static_cast<producer*>(opaque);
        *static_cast<code*>(message->_private) = message->err;
        ++self.reported_;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) self.progress_ = clock::now();
    }

    [[nodiscard]] bool is_over(const std::stop_token& stop) const {
        return stop.stop_requested() || clock::now() - progress_ >= timeout_;
    }

    // False: not taken; its report says why, or that nobody waited until there was room for it.
    bool produce(const kafka_message& message, std::size_t index, const std::stop_token& stop) {
        auto* const topic = topic_of(message.topic);
        if (topic == nullptr) {
            reports_[index] = rd_kafka_last_error();
            return false;
        }
        auto* const headers = rd_kafka_headers_new(message.headers.size());
        for (const auto& [name, value] : message.headers)
            rd_kafka_header_add(headers, name.data(), size_of(name), value.data(), size_of(value));
        while (true) {
            const auto failure = produce_once(message, topic, headers, index);
            if (failure == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
            if (failure != RD_KAFKA_RESP_ERR__QUEUE_FULL || is_over(stop)) {
                rd_kafka_headers_destroy(headers); // which it takes only with the message
                if (failure != RD_KAFKA_RESP_ERR__QUEUE_FULL) reports_[index] = failure;
                return false;
            }
            rd_kafka_poll(client_, wait_ms);
        }
    }

    code produce_once(
        const kafka_message& message, rd_kafka_topic_t* topic, rd_kafka_headers_t* headers, std::size_t index
    ) {
        std::array<rd_kafka_vu_t, 7> what{};
        what[0].vtype = RD_KAFKA_VTYPE_RKT;
        what[0].u.rkt = topic;
        what[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
        what[1].u.i = RD_KAFKA_MSG_F_COPY;
        what[2] = bytes(RD_KAFKA_VTYPE_KEY, message.key);
        what[3] = bytes(RD_KAFKA_VTYPE_VALUE, message.value);
        what[4].vtype = RD_KAFKA_VTYPE_HEADERS;
        what[4].u.headers = headers;
        what[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
        what[5].u.ptr = &reports_[index];
        what[6].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
        what[6].u.i64 = message.timestamp.count();
        auto* const failure = rd_kafka_produceva(client_, what.data(), what.size());
        const auto result = rd_kafka_error_code(failure);
        rd_kafka_error_destroy(failure);
        return result;
    }

    static ssize_t size_of(std::string_view text) { return static_cast<ssize_t>(text.size()); }

    static rd_kafka_vu_t bytes(rd_kafka_vtype_t type, std::optional<std::string_view> content) {
        rd_kafka_vu_t what{};
        what.vtype = type;
        if (!content) return what;
        // Nothing but a null pointer is Kafka's null. librdkafka copies, and changes nothing.
        what.u.mem.ptr = const_cast<char*>(content->empty() ? "" : content->data());
        what.u.mem.size = content->size();
        return what;
    }

    // Kept, because librdkafka would look through all of them for each message.
    rd_kafka_topic_t* topic_of(std::string_view name) {
        if (const auto known = topics_.find(name); known != topics_.end()) return known->second;
        std::string text{name};
        auto* const made = rd_kafka_topic_new(client_, text.c_str(), nullptr);
        if (made != nullptr) topics_.emplace(std::move(text), made);
        return made;
    }

    // The first failure that is no mere consequence of another one. What librdkafka has not even taken counts only when
    // all before it is there: or a message that is too large would hide that the brokers are down.
    void explain(std::span<const event_view> events, delivered& result) {
        const auto end = std::max(result.confirmed + 1, result.produced);
        for (std::size_t i = result.confirmed; i < end; ++i) {
            switch (reports_[i]) {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
            case RD_KAFKA_RESP_ERR__IN_PROGRESS:
            case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
            case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
            case RD_KAFKA_RESP_ERR__FATAL:
            case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE: continue;
#if RD_KAFKA_VERSION >= 0x020400ff
            case RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD:
                continue; // another message of its batch is invalid
#endif
            default:
                result.failure = reports_[i];
                result.topic = writer_.write(events[i], events[i].received_at).topic;
                return;
            }
        }
    }

    const std::chrono::milliseconds timeout_;
    kafka_message_writer writer_;
    kafka_log& log_;
    rd_kafka_t* client_ = nullptr;
    topics topics_;

    // Of the write under way:
    std::vector<code> reports_;
    std::size_t reported_ = 0;
    clock::time_point progress_;
};

class kafka_sink final : public sink {
public:
    kafka_sink(kafka_options options, spdlog::logger& log)
        : options_{std::move(options)}, to_{log}, log_{log},
          where_{"kafka at " + base::json_string(joined(options_.brokers))}, times_{options_.now} {}

    void check() override {
        static_cast<void>(kafka_message_writer{options_.topic, options_.key, options_.format});
        check_kafka_client(options_);
    }

    void open() override { producer_ = make_producer(); }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        if (stop.stop_requested()) return {};
        try {
            delivered result;
            for (int attempt = 0; attempt < max_attempts; ++attempt) {
                if (!producer_) producer_ = make_producer();
                times_.begin_attempt();
                result = producer_->deliver(events, times_, stop);
                if (result.confirmed > 0) log_.forget_error();
                count_replaced(events.first(result.confirmed));
                if (result.failure != RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP) break;
                refused_topic_ = result.topic;
                if (!times_.learn() || result.confirmed > 0 || stop.stop_requested()) break;
                if (attempt + 1 < max_attempts) producer_.reset();
            }
            return judged(events, result, stop);
        } catch (...) {
            producer_.reset();
            throw;
        }
    }

    [[nodiscard]] std::optional<std::string> order_key(const event_view& event) const override {
        const auto key = kafka_key_of(event, options_.key);
        return key ? std::optional{std::string{*key}} : std::nullopt;
    }

    void close() override { producer_.reset(); }

private:
    static constexpr int max_attempts = 3; // of a write whose timestamps are refused

    // An operator is told of it once in ten minutes.
    void count_replaced(std::span<const event_view> confirmed) {
        const auto before = replaced_;
        for (const auto& event : confirmed)
            if (times_.is_replaced(event.received_at)) ++replaced_;
        if (replaced_ == before ||
            (said_replaced_ && clock::now() - *said_replaced_ < std::chrono::minutes{10}))
            return;
        said_replaced_ = clock::now();
        to_.warn(
            "{}, topic {}: rejects messages with the time of the events' arrival; {} messages so far have "
            "the "
            "present time instead, and the arrival in ce_receivedat; to keep it, raise the topic's "
            "message.timestamp.before.max.ms (message.timestamp.difference.max.ms before Kafka 3.6)",
            where_, base::json_string(refused_topic_), replaced_
        );
    }

    std::unique_ptr<producer> make_producer() { return std::make_unique<producer>(options_, log_); }

    write_result
    judged(std::span<const event_view> events, const delivered& result, const std::stop_token& stop) {
        const auto failure = result.confirmed < events.size() ? failure_of(result) : std::string{};
        // It would go on with what follows, while what has failed is sent again.
        if (result.confirmed < result.produced || !producer_->fatal_error().empty() ||
            producer_->is_worn_out()) {
            producer_.reset();
        }
        const bool refused_here = is_about_events(result.failure) && result.confirmed == result.produced;
        if (refused_here || (is_about_events(result.failure) && events.size() == 1)) {
            return {.confirmed = result.confirmed, .duplicates = 0, .refusal = failure};
        }
        if (result.confirmed > 0 || stop.stop_requested()) return {.confirmed = result.confirmed};
        if (is_about_events(result.failure)) throw events_refused{failure};
        throw std::runtime_error{failure};
    }

    [[nodiscard]] std::string failure_of(const delivered& result) const {
        if (result.failure != RD_KAFKA_RESP_ERR_NO_ERROR)
            return where_ + ", topic " + base::json_string(result.topic) + ": " +
                   kafka_advice(result.failure);
        if (const auto fatal = producer_->fatal_error(); !fatal.empty())
            return where_ + ": the producer cannot go on and is made anew: " + fatal;
        const auto last = log_.last_error();
        return where_ + ": nothing was confirmed for " + std::to_string(options_.timeout.count()) + " ms" +
               (last.empty() ? "" : "; the last error was " + last);
    }

    const kafka_options options_;
    spdlog::logger& to_;
    kafka_log log_;
    const std::string where_;
    kafka_timestamps times_;
    std::uint64_t replaced_ = 0; // messages with the present time
    std::string refused_topic_;
    std::optional<clock::time_point> said_replaced_;
    std::unique_ptr<producer> producer_;
};

} // namespace

std::unique_ptr<sink> make_kafka_sink(kafka_options options, spdlog::logger& log) {
    return std::make_unique<kafka_sink>(std::move(options), log);
}

} // namespace trackd::sinks
