// The order of it: file, environment, --set; then all problems at once.
#include "config/load.hpp"

#include "config/check.hpp"
#include "config/files.hpp"
#include "config/overlay.hpp"
#include "config/read.hpp"
#include "config/toml.hpp"

namespace trackd::config {
namespace {

table read_document(const std::optional<std::string>& file) {
    if (!file) return {};
    std::string text;
    try {
        text = read_file(*file, largest_configuration_file);
    } catch (const std::exception& failure) {
        throw error{{*file + ": cannot be read: " + failure.what() + "; expected a TOML file"}};
    }
    return std::get<table>(parse_toml(text, *file).content);
}

/// What there is when nobody configures a sink.
value default_sinks() {
    const origin where{"default", {}};
    const auto text = [&](const char* what) { return value{std::string{what}, where}; };
    return {list{{table{{"name", where, text("sqlite")}, {"kind", where, text("sqlite")}}, where}}, where};
}

} // namespace

settings load(const sources& from) {
    value root{read_document(from.file), {}};
    problems found;
    expand(root, from.environment, found);
    auto& document = std::get<table>(root.content);
    if (!find(document, "sinks")) document.push_back({"sinks", {}, default_sinks()});
    overlay(document, from.environment, from.set, found);
    auto all = read(document, found);
    finish(all, found);
    found.throw_if_any();
    return std::move(all.result);
}

} // namespace trackd::config
