#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "chain/rules.h"
#include "tests/sim/node_host.h"
#include "tests/sim/registry.h"

namespace eventchain::sim {

// The one history that all nodes may have (I1, I5), every event on it once (I3), every stream in
// order with its expectations held (I4), every rejection true, work and time moving on (I9).
// Learns a block from the first node that commits it and holds everybody else to it, for ever.
class ChainChecker {
 public:
  struct Placed {
    ContentId content;
    chain::Position position;
    chain::StreamVersion version;
    chain::Height height;
  };
  struct Rejected {
    ContentId content;
    chain::RejectionReason reason;
    chain::Height height;
  };

  ChainChecker(const chain::Genesis& genesis, const Registry& registry, std::size_t nodes);

  // After a commit of `host`. The blocks that were new to everybody are returned.
  std::vector<chain::Block> committed(NodeHost& host);
  void recovered(NodeHost& host);

  [[nodiscard]] chain::Height height() const;
  [[nodiscard]] chain::BlockId id_at(chain::Height height) const { return ids_[height.value]; }
  [[nodiscard]] const Placed* placed(const chain::EventKey& key) const;
  [[nodiscard]] const std::vector<Rejected>* rejected(const chain::EventKey& key) const;
  [[nodiscard]] chain::StreamVersion stream_version(const chain::StreamKey& stream) const;
  [[nodiscard]] std::uint64_t events() const { return next_position_; }
  [[nodiscard]] std::uint64_t rejections() const { return rejections_; }
  [[nodiscard]] std::uint64_t eased_blocks() const { return eased_blocks_; }

 private:
  void extend(const chain::Block& block);
  void place(const chain::EntryRef& entry, chain::Height height);
  void reject(const chain::Rejection& rejection, chain::Height height);
  const Submitted& submitted(const chain::EntryRef& entry) const;

  const chain::Genesis genesis_;
  const Registry& registry_;
  std::vector<chain::BlockId> ids_;  // by height
  std::vector<std::uint64_t> log_sizes_;
  chain::SealedHeader tip_;
  std::vector<chain::Height> seen_;  // of each node, as of its last commit
  std::uint64_t next_position_ = 0;
  std::uint64_t rejections_ = 0;
  std::uint64_t eased_blocks_ = 0;
  std::unordered_map<chain::EventKey, Placed, chain::FixedBytesHash> placed_;
  std::unordered_map<chain::EventKey, std::vector<Rejected>, chain::FixedBytesHash> rejected_;
  std::unordered_map<chain::StreamKey, std::int64_t, chain::FixedBytesHash> streams_;
};

}  // namespace eventchain::sim
