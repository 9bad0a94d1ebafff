// A stream gives the same frames in one piece and in pieces that the input itself chooses.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain/result.h"
#include "net/frame.h"
#include "net/limits.h"

namespace {

using namespace eventchain;

struct Outcome {
  std::vector<chain::Bytes> payloads;
  bool refused = false;
  bool operator==(const Outcome&) const = default;
};

void drain(net::FrameReader& reader, Outcome& outcome) {
  while (!outcome.refused) {
    chain::Result<std::optional<chain::Bytes>> payload = reader.next();
    if (payload && !*payload) return;
    if (payload)
      outcome.payloads.push_back(std::move(**payload));
    else
      outcome.refused = true;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const chain::ByteView stream(reinterpret_cast<const char*>(data), size);
  Outcome at_once;
  net::FrameReader whole;
  whole.feed(stream);
  drain(whole, at_once);

  Outcome in_pieces;
  net::FrameReader parts;
  for (chain::ByteView rest = stream; !rest.empty();) {
    const std::size_t piece =
        std::min<std::size_t>(rest.size(), 1 + static_cast<std::uint8_t>(rest.front()) % 7);
    parts.feed(rest.substr(0, piece));
    rest.remove_prefix(piece);
    drain(parts, in_pieces);
  }
  EC_ASSERT(at_once == in_pieces, "pieces do not matter");

  std::size_t bytes = 0;
  for (const chain::Bytes& payload : at_once.payloads)
    bytes += net::kFrameHeaderBytes + payload.size();
  EC_ASSERT(bytes <= size, "nothing comes out that did not go in");
  return 0;
}
