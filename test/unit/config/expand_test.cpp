// References in strings.
#include "config/expand.hpp"
#include "helpers.hpp"
#include "support/catch.hpp"

using namespace trackd::config;

namespace {

const test::variables variables{{"HOST", "10.0.0.1"}, {"EMPTY", ""}, {"REFERENCE", "${HOST}"}};

std::string of(std::string_view text) {
    return expanded(text, variables);
}

/// What is wrong with the text.
std::string failure(std::string_view text) {
    try {
        return "nothing: " + of(text);
    } catch (const std::runtime_error& wrong) {
        return wrong.what();
    }
}

} // namespace

TEST_CASE("a variable is put in, wherever it stands", "[config]") {
    CHECK(of("${HOST}") == "10.0.0.1");
    CHECK(of("a ${HOST} b ${HOST}") == "a 10.0.0.1 b 10.0.0.1");
    CHECK(of("${EMPTY}").empty());
}

TEST_CASE("a default stands in for a variable that is not set or empty", "[config]") {
    CHECK(of("${NONE:-other}") == "other");
    CHECK(of("${EMPTY:-other}") == "other");
    CHECK(of("${HOST:-other}") == "10.0.0.1");
    CHECK(of("${NONE:-}").empty());
    CHECK(of("${NONE:-a:-b}") == "a:-b");
}

TEST_CASE("what was put in is not looked at again", "[config]") {
    CHECK(of("${REFERENCE}") == "${HOST}");
}

TEST_CASE("a doubled dollar makes a reference literal", "[config]") {
    CHECK(of("$${HOST}") == "${HOST}");
    CHECK(of("$$${HOST}") == "$${HOST}");
    CHECK(of("a$b$") == "a$b$");
}

TEST_CASE("a file gives its content without the last line's end", "[config]") {
    const test::temporary_file file{"first\nsecond\r\n"};
    CHECK(of("<${file:" + file.path() + "}>") == "<first\nsecond>");
}

TEST_CASE("a variable that is not set is an error", "[config]") {
    CHECK(
        failure("${NONE}") ==
        "the environment variable NONE is not set; set it, or give a default: ${NONE:-…}"
    );
}

TEST_CASE("a reference that is none is an error", "[config]") {
    CHECK(failure("${HOST") == "${ without its }; a literal ${ is written $${");
    for (const std::string reference : {"${}", "${1A}", "${A B}", "${:-x}", "${NONE:-${HOST}", "${HOST-x}"}) {
        CHECK(
            failure(reference) == "found " + reference +
                                      ", expected ${NAME}, ${NAME:-default} or ${file:/path}, not nested (a "
                                      "literal ${ is written $${)"
        );
    }
}

TEST_CASE("a file that cannot be read is an error that says why", "[config]") {
    CHECK(failure("${file:/no/such}") == "cannot read the file \"/no/such\": No such file or directory");
    CHECK(failure("${file:/}") == "cannot read the file \"/\": Is a directory");
}

TEST_CASE("a file that is too large for a string is an error", "[config]") {
    const test::temporary_file file{std::string(65 * 1024, 'x')};
    CHECK(failure("${file:" + file.path() + "}").ends_with("it has more than 64KiB"));
}
