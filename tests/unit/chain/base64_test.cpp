#include "chain/base64.h"

#include <doctest/doctest.h>

#include "chain/rng.h"

using namespace eventchain::chain;

TEST_CASE("base64 has one spelling for each value") {
  Rng rng(42);
  for (std::size_t size = 0; size < 70; ++size) {
    std::string octets;
    for (std::size_t i = 0; i < size; ++i) octets.push_back(static_cast<char>(rng.below(256)));
    const std::string text = to_base64(octets);
    CHECK(from_base64(text) == octets);
  }
  CHECK(to_base64("foobar") == "Zm9vYmFy");
  CHECK(to_base64("fooba") == "Zm9vYmE=");
  CHECK(to_base64("foob") == "Zm9vYg==");
  for (const char* bad : {"A", "AA", "AAA", "A===", "====", "Zm9vYh==", "Zm9vYmF=", "Zm9v\n",
                          "Zm9-", "Zm=v", "Zm9vYg==Zm9v"})
    CHECK_FALSE(from_base64(bad).has_value());
}
