// What a node and its miner process can decode they can encode, and it means the same.
#include <cstddef>
#include <cstdint>

#include "chain/result.h"
#include "mining/process/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eventchain;
  namespace process = mining::process;
  process::FrameReader reader;
  reader.feed(chain::ByteView(reinterpret_cast<const char*>(data), size));
  while (true) {
    const auto payload = reader.next();
    if (!payload || !*payload) return 0;
    const auto first = process::decode(**payload);
    if (!first) return 0;
    const chain::Bytes frame = process::encode_frame(*first);
    const auto second = process::decode(chain::ByteView(frame).substr(4));
    EC_ASSERT(second.has_value(), "what was decoded can be encoded and decoded again");
    EC_ASSERT(process::encode_frame(*second) == frame, "and means the same");
  }
}
