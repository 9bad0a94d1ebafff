#pragma once

#include <string>
#include <vector>

#include "chain/event.h"
#include "chain/result.h"
#include "chain/target.h"
#include "chain/types.h"

namespace eventchain::chain {

enum class WorkFunction : std::uint8_t { kSha256 = 1, kRandomXV1 = 2 };

using PublicKey = FixedBytes<struct PublicKeyTag, 32>;  // Ed25519

// A node in the committed member list. In genesis every member is a voter; its slot is its place.
struct Member {
  NodeId node;
  PublicKey signing_key;  // signs certificates; not the TLS key
  Slot slot;
  std::string name;  // for people; [a-z0-9-]{1,32}, unique
  std::string site;  // failure domain; may be empty
  bool operator==(const Member&) const = default;
};

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
  std::vector<Member> voters;  // 1..7, distinct ids, names and keys; slots 0,1,2..

  bool operator==(const Genesis&) const = default;
};

// Ranges above; the error names the field and the remedy.
Result<void> check_genesis(const Genesis& genesis);
Bytes encode_genesis(const Genesis& genesis);
ChainId chain_id(const Genesis& genesis);
Hash member_set_hash(const std::vector<Member>& members);
// The member with this slot; nullptr if there is none. Lives as long as `members`.
const Member* member_at(const std::vector<Member>& members, Slot slot);
EventLimits event_limits(const Genesis& genesis);

}  // namespace eventchain::chain
