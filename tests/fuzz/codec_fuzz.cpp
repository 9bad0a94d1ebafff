// What can be decoded can be encoded, and the encoding means the same.
#include <cstddef>
#include <cstdint>

#include "chain/result.h"
#include "net/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eventchain;
  const chain::ByteView bytes(reinterpret_cast<const char*>(data), size);
  const chain::Result<net::Message> first = net::decode(bytes);
  if (!first) return 0;
  const chain::Result<net::Message> second = net::decode(net::encode(*first));
  EC_ASSERT(second.has_value(), "what was decoded can be encoded and decoded again");
  EC_ASSERT(*second == *first, "and means the same");
  return 0;
}
