#include "chain/seal_check.h"

#include <doctest/doctest.h>

#include <limits>

#include "chain/stamp.h"
#include "chain_fixture.h"

using namespace eventchain::chain;
using namespace eventchain::chain::testing;

TEST_CASE("a seal shown alone has stamps between 1970 and the year 9999") {
  const Genesis genesis = small_genesis();
  Growing chain(genesis);
  chain.pool.add(facts_of(1, 1), 1, {});
  const SealedHeader sound = chain.commit(chain.assemble_next());
  REQUIRE(seal_fault(genesis, sound).empty());

  const auto fault = [&](UnixMillis started, UnixMillis sealed_at) {
    SealedHeader sealed = sound;
    sealed.header.started = started;
    sealed.seal.sealed_at = sealed_at;
    return seal_fault(genesis, sealed);
  };
  CHECK(fault(kStampMin, kStampMax).empty());
  CHECK(fault({-1}, kStampMax).find("stamp") != std::string::npos);
  CHECK(fault(kStampMin, {kStampMax.value + 1}).find("stamp") != std::string::npos);
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  CHECK(fault(kStampMin, {kLast}).find("stamp") != std::string::npos);
}
