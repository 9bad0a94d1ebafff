#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "chain/bytes.h"
#include "chain/result.h"
#include "chain/types.h"
#include "mining/lending.h"
#include "mining/work.h"

// What a node and its miner process say to each other (README.md has the octets). Pure. Each side
// takes the other's octets for foreign: every size is checked before it is believed.
namespace eventchain::mining::process {

inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kPayloadMax = 1024;
inline constexpr std::size_t kTextMax = 512;  // of a sentence for people

// The node's first word.
struct NodeHello {
  chain::ChainId chain;
  std::uint8_t work_function = 0;   // as in genesis; may be one that this program does not know
  std::uint16_t feature_level = 0;  // that the node's program can do
  bool operator==(const NodeHello&) const = default;
};

// The process' answer: it can do that. Nothing else is said before it.
struct MinerHello {
  bool operator==(const MinerHello&) const = default;
};

// Either side's last word.
struct Refusal {
  std::string why;
  bool operator==(const Refusal&) const = default;
};

struct StopWork {
  bool operator==(const StopWork&) const = default;
};

// The node says the first, third, fourth, fifth and sixth; the process the second, third and the
// last two. Of a report the wish and the age of the last word are not carried: the node knows them.
using Message = std::variant<NodeHello, MinerHello, Refusal, WorkOrder, StopWork, OperatorWish,
                             ShareFound, LendingReport>;

// A whole frame. Text that is too long is cut, and what is not UTF-8 is replaced.
chain::Bytes encode_frame(const Message& message);
// Of a frame's payload. A hello of another version is an error that names both versions.
chain::Result<Message> decode(chain::ByteView payload);

// Cuts a stream of octets into payloads. Memory follows what is fed, never what a length announces.
// To be fed when next() has nothing, so that it holds a frame and one feed at most.
class FrameReader {
 public:
  void feed(chain::ByteView bytes);
  // The next whole payload, nullopt: feed more. After an error the stream has no meaning.
  chain::Result<std::optional<chain::Bytes>> next();

 private:
  chain::Bytes bytes_;
  std::size_t at_ = 0;  // of the first octet that was not handed out
};

}  // namespace eventchain::mining::process
