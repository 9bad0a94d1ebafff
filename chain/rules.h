#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "chain/block.h"
#include "chain/difficulty.h"
#include "chain/genesis.h"
#include "chain/history.h"
#include "chain/log_tree.h"
#include "chain/work.h"

namespace eventchain::chain {

enum class Rule : std::uint8_t {
  kOk,
  kWrongChain,
  kWrongParent,
  kWrongHeight,
  kTimeBeforeParent,
  kTimeBeforeStart,
  kTimeTooLate,  // `time` or `sealed_at` after kStampMax (stamp.h)
  kWrongTarget,
  kWrongShareCount,
  kWrongMemberSet,
  kWrongLogSize,
  kWrongLogRoot,
  kWrongHistoryRoot,
  kWrongAnnexRoot,
  kTooManyEvents,
  kTooManyBytes,
  kDuplicateKey,
  kKeyMismatch,  // an entry's key or commitment is not its body's
  kVersionExpectation,
  kUnjustifiedRejection,
  kWrongMemberOrder,  // an order that the member set does not allow
  kShareMissesTarget,
  kShareSlotUnknown,
  kSharesNotDistinct,  // or not ascending
  kSealedBeforeTime,
};
const char* to_string(Rule rule);

enum class Blame : std::uint8_t { kNobody, kSender, kLeader };

// Outcome of a check on foreign data: the rule broken and who answers for it.
struct Verdict {
  Rule rule = Rule::kOk;
  Blame blame = Blame::kNobody;
  [[nodiscard]] bool ok() const { return rule == Rule::kOk; }
  bool operator==(const Verdict&) const = default;
};

// The chain as of a tip, as far as headers and annexes tell it: all that the rules need for which
// no entry has to be known. A value; O(log n) memory.
struct HeaderState {
  Genesis genesis;
  ChainId chain;
  MembersRef members;  // in force at the next height
  Hash member_set;     // hash of `members`
  BlockId tip;
  SealedHeader tip_header;
  History history;  // over all blocks up to and including the tip

  [[nodiscard]] Height height() const { return tip_header.header.height; }
};
HeaderState initial_header_state(const Genesis& genesis);

// The chain as of a tip: all that the rules need besides lookups by key and stream. A value;
// O(log n) memory. Copy it to look ahead.
struct ChainState : HeaderState {
  LogTree log;
};
ChainState initial_state(const Genesis& genesis);

// Lookups into what is committed. Called from the thread that runs the check.
class ChainView {
 public:
  virtual ~ChainView() = default;
  // True if an event with this key has a position (rejected events have none).
  virtual bool is_placed(const EventKey& key) = 0;
  // Version of the stream's last committed event; kEmptyStream if there is none.
  virtual StreamVersion stream_version(const StreamKey& stream) = 0;
};

// Facts of each entry of a content, in order, and of each rejected event, in annex order.
struct ContentFacts {
  std::vector<EventFacts> entries;
  std::vector<EventFacts> rejections;
};

// What a valid template means on top of `state`.
struct Projection {
  std::vector<StreamVersion> versions;  // of each entry
  std::uint64_t first_position = 0;
  LogTree log;                        // after the block
  std::vector<TreeHash> tree_hashes;  // completed by it
  MembersRef members;                 // after the block; the state's own if nothing changes
};

// Needs no content: everything a header says about its parent, clock and difficulty.
Verdict check_header(const HeaderState& state, const TemplateHeader& header);
// Needs no entry: what a header that passed check_header says of its annex, and the orders in that.
// Fills `after`, in force after the block, when ok and not null. Whether rejections are justified
// cannot be told without events.
Verdict check_annex(const HeaderState& state, const TemplateHeader& header,
                    const std::vector<AnnexItem>& annex, MembersRef* after);
// All rules for a template on top of `state`; fills `projection` when ok and not null.
Verdict check_template(const ChainState& state, ChainView& view, const Template& candidate,
                       const ContentFacts& facts, Projection* projection);
// In force after the block, if its orders are allowed; the state's own otherwise.
MembersRef members_after(const ChainState& state, const Template& candidate);
// `digest` is that of the genesis' work function.
Verdict check_share(const HeaderState& state, const ShareDigest& digest,
                    const TemplateHeader& header, const Nonce& nonce);
// The seal of a header that passed check_header.
Verdict check_seal(const HeaderState& state, const ShareDigest& digest, const SealedHeader& sealed);

// The state after a checked block. Pre: the block's parent is state.tip.
struct Advanced {
  ChainState state;
  std::vector<HistoryNode> history_nodes;  // made by this block, for the store
};
Advanced advance(const ChainState& state, const SealedHeader& sealed, LogTree log_after,
                 MembersRef members_after);
// The same where no log is kept; the nodes it makes go to `made` if it is not null.
void advance_headers(HeaderState& state, const SealedHeader& sealed, MembersRef members_after,
                     std::vector<HistoryNode>* made = nullptr);

}  // namespace eventchain::chain
