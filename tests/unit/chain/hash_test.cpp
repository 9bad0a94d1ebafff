#include "chain/hash.h"

#include <doctest/doctest.h>

#include <string>

#include "chain/rng.h"

using namespace eventchain::chain;

namespace {

constexpr std::size_t kLengthMax =
    1300;  // more than twice what is gathered before it is compressed

Bytes octets_of_length(std::size_t length) {
  Bytes octets(length, '\0');
  for (std::size_t i = 0; i < length; ++i) octets[i] = static_cast<char>((7 * i + length) & 0xff);
  return octets;
}

}  // namespace

TEST_CASE("SHA-256 of the messages of FIPS 180-4's examples") {
  CHECK(to_hex(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256(ByteView())) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(to_hex(sha256(Bytes(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// The value is hashlib's: sha256 over the sha256 of each message, octet i of n being 7 i + n.
TEST_CASE("SHA-256 pads messages of every length") {
  Bytes all;
  for (std::size_t length = 0; length <= kLengthMax; ++length)
    all += sha256(octets_of_length(length)).view();
  CHECK(to_hex(sha256(all)) == "b5786bdced586669620b75772132aa9bdbbbb3bcb2598562e08e746f03d7c563");
}

TEST_CASE("it does not matter how a message is cut into parts") {
  constexpr std::uint64_t kSeed = 11;
  INFO("seed " << kSeed);
  Rng rng(kSeed);
  for (std::size_t length = 0; length <= kLengthMax; ++length) {
    const Bytes octets = octets_of_length(length);
    const ByteView whole = octets;
    const std::size_t first = rng.below(length + 1);
    const std::size_t second = first + rng.below(length - first + 1);
    const Hash parts =
        sha256({whole.substr(0, first), whole.substr(first, second - first), whole.substr(second)});
    REQUIRE(parts == sha256(whole));
  }
}
