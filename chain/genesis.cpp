#include "chain/genesis.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "chain/block.h"
#include "chain/encoding.h"
#include "chain/hash.h"
#include "chain/stamp.h"

namespace eventchain::chain {

namespace {

constexpr std::string_view kGenesisTag = "ec:genesis";

constexpr std::size_t kTrustDomainMax = 255;  // as SPIFFE has it
constexpr std::uint16_t kShareCountMax = 256;
constexpr std::uint32_t kIntervalMin = 100;
constexpr std::uint32_t kIntervalMax = 3'600'000;
constexpr std::uint32_t kEventBytesLimit = 3 * 1024 * 1024;  // a body travels in one 4 MiB frame

bool consists_of(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [punctuation](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

// `field` is wrong; `remedy` says what it must be.
tl::unexpected<Error> refuse(std::string_view field, std::string_view remedy) {
  return fail(ErrorCode::kInvalid, fmt::format("genesis: {} {}", field, remedy));
}

// Nothing is worked for, so that there is one right value of everything that says how much.
Result<void> check_no_work(const Genesis& genesis) {
  if (genesis.share_count != 1)
    return refuse("share_count", "must be 1 with work_function \"none\": no share costs anything");
  const CompactTarget any = compact(U256::max());
  for (const auto& [field, target] : {std::pair("first_target", genesis.first_target),
                                      std::pair("easiest_target", genesis.easiest_target)})
    if (target != any)
      return refuse(field, fmt::format("must be {:08x} with work_function \"none\": every share "
                                       "meets its target, and the target never changes",
                                       any.bits));
  return {};
}

Result<void> check_work(const Genesis& genesis) {
  if (*to_string(genesis.work_function) == '\0')
    return refuse("work_function", "is unknown; use \"sha256\", \"randomx-v1\" or \"none\"");
  if (genesis.share_count < 1 || genesis.share_count > kShareCountMax)
    return refuse("share_count", fmt::format("must be 1 to {}", kShareCountMax));
  if (genesis.interval_ms < kIntervalMin || genesis.interval_ms > kIntervalMax)
    return refuse("interval_ms", fmt::format("must be {} to {}", kIntervalMin, kIntervalMax));
  const Result<U256> first = expand(genesis.first_target);
  if (!first) return refuse("first_target", "is no target: " + first.error().message);
  const Result<U256> easiest = expand(genesis.easiest_target);
  if (!easiest) return refuse("easiest_target", "is no target: " + easiest.error().message);
  if (*first > *easiest)
    return refuse("first_target", "is easier than easiest_target; lower it or raise the other");
  return genesis.work_function == WorkFunction::kNone ? check_no_work(genesis) : Result<void>();
}

Result<void> check_limits(const Genesis& genesis) {
  if (genesis.event_bytes_max < 1 || genesis.event_bytes_max > kEventBytesLimit)
    return refuse("event_bytes_max", fmt::format("must be 1 to {}", kEventBytesLimit));
  if (genesis.block_events_max < 1 || genesis.block_events_max > kBlockEventsLimit)
    return refuse("block_events_max", fmt::format("must be 1 to {}", kBlockEventsLimit));
  if (genesis.block_bytes_max < genesis.event_bytes_max)
    return refuse(
        "block_bytes_max",
        "is less than event_bytes_max, so that the largest event fits no block; raise it");
  return {};
}

Result<void> check_voter(const std::vector<Member>& voters, std::size_t place) {
  const Member& member = voters[place];
  const std::string who = fmt::format("voters[{}]", place);
  if (auto checked = check_member(member); !checked)
    return fail(ErrorCode::kInvalid, fmt::format("genesis: {}.{}", who, checked.error().message));
  if (member.role != MemberRole::kVoter)
    return refuse(who + ".role", "must be voter; others join when the chain runs");
  if (member.slot.value != place)
    return refuse(who + ".slot", fmt::format("must be its place in the list, {}", place));
  for (std::size_t other = 0; other < place; ++other) {
    if (raft_id(voters[other].node) == raft_id(member.node))
      return refuse(who + ".node",
                    fmt::format("begins like that of voters[{}]; draw another", other));
    if (voters[other].signing_key == member.signing_key)
      return refuse(who + ".signing_key",
                    fmt::format("is that of voters[{}] too; each voter has its own", other));
    if (voters[other].name == member.name)
      return refuse(who + ".name", fmt::format("is that of voters[{}] too; choose another", other));
    if (voters[other].store == member.store)
      return refuse(who + ".store",
                    fmt::format("is that of voters[{}] too; each disk has its own", other));
  }
  return {};
}

}  // namespace

const char* to_string(WorkFunction function) {
  switch (function) {
    case WorkFunction::kSha256:
      return "sha256";
    case WorkFunction::kRandomXV1:
      return "randomx-v1";
    case WorkFunction::kNone:
      return "none";
  }
  return "";
}

std::optional<WorkFunction> parse_work_function(std::string_view name) {
  for (const WorkFunction function :
       {WorkFunction::kSha256, WorkFunction::kRandomXV1, WorkFunction::kNone})
    if (name == to_string(function)) return function;
  return std::nullopt;
}

Result<void> check_genesis(const Genesis& genesis) {
  if (!is_member_name(genesis.name)) return refuse("name", "must be 1 to 32 of a-z, 0-9 and '-'");
  if (genesis.trust_domain.empty() || genesis.trust_domain.size() > kTrustDomainMax ||
      !consists_of(genesis.trust_domain, "-._"))
    return refuse("trust_domain", "must be 1 to 255 of a-z, 0-9, '-', '.' and '_'");
  if (!is_stamp(genesis.created))
    return refuse("created", "must lie between the years 1970 and 9999");
  if (auto checked = check_work(genesis); !checked) return checked;
  if (auto checked = check_limits(genesis); !checked) return checked;
  if (genesis.voters.empty() || genesis.voters.size() > kVotersMax)
    return refuse("voters", fmt::format("must name 1 to {} members", kVotersMax));
  for (std::size_t place = 0; place < genesis.voters.size(); ++place)
    if (auto checked = check_voter(genesis.voters, place); !checked) return checked;
  return {};
}

Bytes encode_genesis(const Genesis& genesis) {
  Writer writer(512);
  writer.header(kGenesisTag)
      .sized8(genesis.name)
      .sized8(genesis.trust_domain)
      .i64(genesis.created.value)
      .u8(static_cast<std::uint8_t>(genesis.work_function))
      .u16(genesis.share_count)
      .u32(genesis.interval_ms)
      .u32(genesis.heartbeat_ms)
      .u32(genesis.first_target.bits)
      .u32(genesis.easiest_target.bits)
      .u32(genesis.event_bytes_max)
      .u32(genesis.block_events_max)
      .u32(genesis.block_bytes_max);
  writer.u16(static_cast<std::uint16_t>(genesis.voters.size()));
  for (const Member& member : genesis.voters) write_member(writer, member);
  return writer.take();
}

ChainId chain_id(const Genesis& genesis) {
  return as_kind<ChainId>(sha256(encode_genesis(genesis)));
}

MemberSet first_members(const Genesis& genesis) {
  MemberSet set;
  set.members = genesis.voters;
  return set;
}

EventLimits event_limits(const Genesis& genesis) {
  EventLimits limits;
  limits.body_bytes_max = genesis.event_bytes_max;
  return limits;
}

}  // namespace eventchain::chain
