#include "chain/features.h"

#include <doctest/doctest.h>

using namespace eventchain::chain;

TEST_CASE("a feature is on from its level on, and a program below the level is told what to do") {
  MemberSet set;
  CHECK(is_on(set, 1));
  CHECK_FALSE(is_on(set, 2));
  CHECK(check_program(set, kFeatureLevelMax).has_value());
  set.feature_level = 3;
  CHECK(is_on(set, 2));
  CHECK(is_on(set, 3));
  CHECK_FALSE(is_on(set, 4));
  CHECK(can_follow(set, 4));
  CHECK(can_follow(set, 3));
  CHECK_FALSE(can_follow(set, 2));
  const auto refused = check_program(set, 2);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("level 3, and this program can do level 2 only; install") !=
        std::string::npos);
}
