#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chain/encoding.h"
#include "chain/result.h"
#include "chain/types.h"

// Who belongs to the cluster: a value that blocks change (member_orders.h) and every header names.
namespace eventchain::chain {

using PublicKey = FixedBytes<struct PublicKeyTag, 32>;  // Ed25519
using StoreId = FixedBytes<struct StoreIdTag, 16>;      // of a node's disk: drawn once, with it

enum class MemberRole : std::uint8_t {
  kVoter = 1,     // has a vote in Raft, signs blocks
  kStandby = 2,   // replicates Raft's log, has no vote
  kObserver = 3,  // outside Raft: follows certificates, checks every rule, serves, mines
  kLight = 4,     // headers and certificates only, mines
};
const char* to_string(MemberRole role);

// One node as the cluster knows it. Its id is random and fixed when it joins; a new disk is a new
// member with a new id, so that nobody votes twice.
struct Member {
  NodeId node;
  PublicKey signing_key;  // signs certificates; not the TLS key
  Slot slot;              // distinct among those who belong to the cluster at one time
  std::string name;       // for people; [a-z0-9-]{1,32}, unique
  std::string site;       // failure domain; may be empty
  StoreId store{};
  MemberRole role = MemberRole::kVoter;
  std::string peers_address{};  // host:port where other nodes reach it; empty: it only dials
  std::string api_address{};    // host:port of its HTTP API; empty: not told
  UnixMillis valid_from{};      // links are made in this time only
  UnixMillis valid_until{};     // 0: no end
  bool operator==(const Member&) const = default;
};

// May join once with the token of which this is the hash.
struct Invitation {
  Hash token_hash;
  MemberRole role = MemberRole::kObserver;  // never a voter: that is a promotion
  std::string name;
  std::string site;
  UnixMillis until;
  bool operator==(const Invitation&) const = default;
};

// What the leader does by itself about voters that are lost.
struct VoterPolicy {
  std::uint8_t wanted = 0;     // 3, 5 or 7 voters; 0: voters change by orders of operators alone
  std::uint32_t grace_ms = 0;  // a voter that is away for longer is replaced
  bool operator==(const VoterPolicy&) const = default;
};

struct MemberSet {
  std::vector<Member> members;          // by slot
  std::vector<Invitation> invitations;  // by hash
  // The block that changed the voters last; 0: genesis. Two nodes with the same number mean the
  // same voters.
  Height voters_since;
  VoterPolicy policy;
  std::uint16_t feature_level = 1;  // what all voters' programs can do
  bool operator==(const MemberSet&) const = default;
};
using MembersRef = std::shared_ptr<const MemberSet>;  // immutable, shared: there may be hundreds

// The number by which Raft knows a node. Never 0, and distinct among members.
std::uint64_t raft_id(const NodeId& node);

inline constexpr std::size_t kVotersMax = 7;
inline constexpr std::size_t kStandbysMax = 32;  // each costs the leader what a voter does
inline constexpr std::size_t kMembersMax = 1024;
inline constexpr std::size_t kInvitationsMax = 256;

// Ranges above; the message begins with the name of the field.
Result<void> check_member(const Member& member);
// What every set is that orders have led to, from a genesis file on: each member passes
// check_member(), no two have the same slot, id (as Raft knows it), key, disk or name; there are 1
// to kVotersMax voters, and nobody is invited to be one. For sets that come from outside.
Result<void> check_member_set(const MemberSet& set);
bool is_member_name(std::string_view text);
bool is_site_name(std::string_view text);
// host:port with a port from 1 to 65535; the host is a name, an IPv4 address or [IPv6].
bool is_address(std::string_view text);

void write_member(Writer& writer, const Member& member);
Member read_member(Reader& reader);
Bytes encode_member_set(const MemberSet& set);
Result<MemberSet> decode_member_set(ByteView bytes);
Hash member_set_hash(const MemberSet& set);

// nullptr if there is none. Live as long as `set`.
const Member* member_at(const MemberSet& set, Slot slot);
const Member* find_member(const MemberSet& set, const NodeId& node);
std::size_t count_voters(const MemberSet& set);
std::size_t count_role(const MemberSet& set, MemberRole role);

}  // namespace eventchain::chain
