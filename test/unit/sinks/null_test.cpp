#include "helpers.hpp"
#include "sinks/null.hpp"

using namespace trackd;

TEST_CASE("the null sink confirms everything", "[sinks][null]") {
    const auto sink = sinks::make_null_sink();
    sink->open();
    const auto result = sink->write(test::tricky_events(), {});
    CHECK(result.confirmed == test::tricky_events().size());
    CHECK(result.duplicates == 0);
    sink->close();
}
