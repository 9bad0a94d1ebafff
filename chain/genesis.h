#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/event.h"
#include "chain/members.h"
#include "chain/result.h"
#include "chain/target.h"
#include "chain/types.h"

namespace eventchain::chain {

// What a share costs (chain/work.h, mining/README.md). Its name in texts is to_string's.
enum class WorkFunction : std::uint8_t {
  kSha256 = 1,
  kRandomXV1 = 2,
  kNone = 3,  // nothing: blocks are paced, not worked for
};
// "sha256", "randomx-v1", "none".
const char* to_string(WorkFunction function);
std::optional<WorkFunction> parse_work_function(std::string_view name);

// The chain's constitution. Its canonical bytes hash to the chain id.
struct Genesis {
  std::string name;          // [a-z0-9-]{1,32}
  std::string trust_domain;  // SPIFFE trust domain, lower case
  UnixMillis created;
  WorkFunction work_function = WorkFunction::kSha256;
  std::uint16_t share_count = 16;       // k, 1..256
  std::uint32_t interval_ms = 10'000;   // target block interval, 100..3,600,000
  std::uint32_t heartbeat_ms = 60'000;  // a block without events after this long; 0: never
  CompactTarget first_target;           // share target of block 1
  CompactTarget easiest_target;         // difficulty floor
  std::uint32_t event_bytes_max = 1024 * 1024;
  std::uint32_t block_events_max = 65'536;           // 1..65,536: a template fits one frame
  std::uint32_t block_bytes_max = 64 * 1024 * 1024;  // sum of bodies
  // The first members: 1..7 voters, distinct in all that tells members apart; slots 0,1,2..
  std::vector<Member> voters;

  bool operator==(const Genesis&) const = default;
};

// Ranges above; the error names the field and the remedy.
Result<void> check_genesis(const Genesis& genesis);
Bytes encode_genesis(const Genesis& genesis);
ChainId chain_id(const Genesis& genesis);
// In force from block 1 on, until a block changes it.
MemberSet first_members(const Genesis& genesis);
EventLimits event_limits(const Genesis& genesis);

}  // namespace eventchain::chain
