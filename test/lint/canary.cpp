// Proves that a failing Catch2 case fails its CTest test: CTest expects the failure, and minds a success.
#include "support/catch.hpp"

TEST_CASE("a case that holds passes", "[sings]") {
    CHECK(1 + 1 == 2);
}

TEST_CASE("a case that does not hold fails", "[dies]") {
    CHECK(1 + 1 == 3);
}
