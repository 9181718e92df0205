#include "base/made_late.hpp"
#include "support/catch.hpp"

#include <string>

using trackd::base::made_late;

TEST_CASE("what is made late is not there before it is needed, and then stays", "[base]") {
    made_late<std::string> text;
    CHECK(text.look() == nullptr);
    text.get() = "a";
    REQUIRE(text.look() != nullptr);
    CHECK(*text.look() == "a");
    CHECK(&text.get() == text.look());
}
