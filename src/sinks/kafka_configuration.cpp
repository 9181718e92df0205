#include "sinks/kafka_configuration.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace trackd::sinks {

namespace {

struct owned_property {
    std::string_view name;
    std::string_view instead;
};

// What the sink's promises rest on, and what has an option.
constexpr auto owned_properties = std::to_array<owned_property>({
    {"bootstrap.servers", "use the option brokers"},
    {"metadata.broker.list", "use the option brokers"},
    {"compression.codec", "use the option compression"},
    {"compression.type", "use the option compression"},
    {"message.timeout.ms", "use the option timeout"},
    {"delivery.timeout.ms", "use the option timeout"},
    {"enable.idempotence", "it is always true"},
    {"enable.gapless.guarantee", "it is always true"},
    {"acks", "it is always all"},
    {"request.required.acks", "it is always all"},
    {"queuing.strategy", "it is always fifo"},
    {"transactional.id", "there are no transactions"},
    {"delivery.report.only.error", "it is always false"},
    {"log.queue", "it is always false"},
    {"enabled_events", "it is always 0"},
});

void set(const kafka_configuration& to, const std::string& name, const std::string& value) {
    std::array<char, longest_kafka_error> why{};
    if (rd_kafka_conf_set(to.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
        RD_KAFKA_CONF_OK) {
        throw std::runtime_error{
            "property " + base::json_string(name) + ": librdkafka says " + base::json_string(why.data())
        };
    }
}

void set_by_user(const kafka_configuration& to, const std::string& name, const std::string& value) {
    const auto owned = std::ranges::find(owned_properties, name, &owned_property::name);
    if (owned != owned_properties.end()) {
        throw std::runtime_error{
            "property " + base::json_string(name) + ": trackd sets it itself: " + std::string{owned->instead}
        };
    }
    set(to, name, value);
}

std::string property(const kafka_configuration& of, const char* name) {
    std::array<char, longest_kafka_error> value{};
    std::size_t size = value.size();
    return rd_kafka_conf_get(of.get(), name, value.data(), &size) == RD_KAFKA_CONF_OK ? value.data() : "";
}

// A client with Kerberos runs this command when it is made. As a comment its properties are verified, and nothing is run.
void disarm_kinit(const kafka_configuration& of) {
    auto command = property(of, "sasl.kerberos.kinit.cmd");
    if (command.empty()) return;
    std::ranges::replace(command, '\n', ' ');
    set(of, "sasl.kerberos.kinit.cmd", "true # " + command);
}

// A client that gets its token from a server asks for it when it is made, whether it knows brokers or not.
bool asks_for_token(const kafka_configuration& of) {
    return property(of, "security.protocol").starts_with("sasl") &&
           property(of, "sasl.mechanisms") == "OAUTHBEARER" &&
           !property(of, "sasl.oauthbearer.token.endpoint.url").empty();
}

} // namespace

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts)
        all.append(all.empty() ? "" : ",").append(text);
    return all;
}

kafka_configuration make_kafka_configuration(const kafka_options& options) {
    kafka_configuration made{rd_kafka_conf_new(), &rd_kafka_conf_destroy};
    set(made, "client.id", "trackd");
    set(made, "log.thread.name", "false");
    set(made, "reconnect.backoff.max.ms", "1000");
    set(made, "topic.metadata.propagation.max.ms", "5000");
    for (const auto& [name, value] : options.properties)
        set_by_user(made, name, value);
    set(made, "bootstrap.servers", joined(options.brokers));
    set(made, "compression.codec", options.compression);
    set(made, "enable.idempotence", "true");
    set(made, "enable.gapless.guarantee", "true");
    set(made, "message.timeout.ms", "0"); // the write itself keeps the time
    return made;
}

kafka_client make_kafka_client(kafka_configuration configuration) {
    std::array<char, longest_kafka_error> why{};
    kafka_client made{
        rd_kafka_new(RD_KAFKA_PRODUCER, configuration.get(), why.data(), why.size()), &rd_kafka_destroy
    };
    if (!made) throw std::runtime_error{"librdkafka says " + base::json_string(why.data())};
    static_cast<void>(configuration.release()); // the client has it now
    return made;
}

void check_kafka_client(const kafka_options& options) {
    auto configuration = make_kafka_configuration(options);
    if (asks_for_token(configuration)) return;
    rd_kafka_conf_set(configuration.get(), "bootstrap.servers", nullptr, nullptr, 0);
    disarm_kinit(configuration);
    rd_kafka_conf_set_log_cb(configuration.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
    static_cast<void>(make_kafka_client(std::move(configuration)));
}

} // namespace trackd::sinks
