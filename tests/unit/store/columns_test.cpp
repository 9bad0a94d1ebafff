#include <doctest/doctest.h>

#include <limits>

#include "chain/rng.h"
#include "store/sqlite/columns.h"

namespace eventchain::store::testing {

TEST_CASE("arrival numbers come back as they were packed, and can be counted unpacked") {
  const std::uint64_t seed = 99;
  INFO("seed " << seed);
  chain::Rng rng(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint64_t> arrivals;
    for (std::uint64_t count = rng.below(50); count > 0; --count)
      arrivals.push_back(rng.next() >> (1 + rng.below(63)));
    const chain::Bytes packed = pack_arrivals(arrivals);
    CHECK(count_arrivals(packed) == arrivals.size());
    CHECK(unpack_arrivals(packed).value() == arrivals);
  }
  CHECK(pack_arrivals({1, 2, 3, 4}).size() == 4);  // neighbours cost one octet
}

TEST_CASE("packed columns that end in the middle are refused") {
  const chain::Bytes packed = pack_arrivals({std::numeric_limits<std::int64_t>::max()});
  CHECK_FALSE(unpack_arrivals(chain::ByteView(packed).substr(0, packed.size() - 1)));
  CHECK_FALSE(unpack_arrivals(chain::Bytes(20, '\xff') + '\x01'));
  CHECK_FALSE(unpack_hashes(chain::Bytes(33, 'h')));
  CHECK_FALSE(unpack_history(chain::Bytes(119, 'h')));
  CHECK_FALSE(unpack_configuration(chain::Bytes("\x01\x00", 2)));
}

TEST_CASE("a configuration comes back as it was packed") {
  const consensus::Configuration configuration = {
      {consensus::ServerId{1}}, {consensus::ServerId{300}, consensus::Suffrage::kSpare}};
  CHECK(unpack_configuration(pack_configuration(configuration)).value() == configuration);
  chain::Bytes packed = pack_configuration(configuration);
  packed.back() = 9;
  CHECK_FALSE(unpack_configuration(packed));
}

}  // namespace eventchain::store::testing
