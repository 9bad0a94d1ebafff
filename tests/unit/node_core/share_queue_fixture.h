#pragma once

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "node/share_queue.h"
#include "tests/unit/node_core/node_core_fixture.h"

// What the tests of shares that take long to check have in common: a chain on RandomX, and a digest
// that takes no time and is counted.
namespace eventchain::node::testing {

// A share with an odd nonce.low meets every target, one with an even nonce.low none.
struct CountingDigest final : chain::ShareDigest {
  [[nodiscard]] chain::WorkFunction function() const override {
    return chain::WorkFunction::kRandomXV1;
  }
  [[nodiscard]] chain::Hash digest(const chain::SharePreimage& preimage) const override {
    ++count;
    chain::Hash hash;
    if (preimage.octets[chain::kNonceLowOffset] % 2 == 0) hash.octets.fill(0xff);
    return hash;
  }
  mutable std::atomic<std::size_t> count = 0;
};

inline constexpr std::uint16_t kShares = 4;

struct Checks {
  Checks() {
    genesis = easy_genesis(3);
    genesis.share_count = kShares;
    genesis.first_target = genesis.easiest_target = chain::CompactTarget{0x207fffff};
    header.chain = chain::chain_id(genesis);
    header.height = chain::Height{1};
    header.share_target = genesis.first_target;
    header.share_count = kShares;
    queue.emplace(genesis, voter_id(0), memo);
    queue->in_hand(header);
  }

  [[nodiscard]] net::SharePush share(std::uint32_t low) const {
    return {chain::template_hash(header), {chain::nonce_high(chain::Slot{1}, 0, 0), low}};
  }
  bool passes(std::size_t peer, net::Message message) {
    return queue->offer(PeerSaid{voter_id(peer), std::move(message)}, 1000).has_value();
  }
  // Sealed with shares from `low` on, every second number.
  [[nodiscard]] chain::SealedHeader sealed(std::uint64_t height, std::uint32_t low) const {
    chain::SealedHeader result{header, {}};
    result.header.height = chain::Height{height};
    for (std::uint32_t i = 0; i < kShares; ++i)
      result.seal.shares.push_back({chain::nonce_high(chain::Slot{1}, 0, 0), low + 2 * i});
    return result;
  }
  [[nodiscard]] net::BlocksReply blocks(std::vector<chain::SealedHeader> seals) const {
    net::BlocksReply reply;
    reply.from = chain::Height{1};
    for (auto& seal : seals) reply.blocks.push_back({std::move(seal), {}});
    return reply;
  }
  // One piece; what may go to the core now.
  std::vector<Input> work() {
    std::vector<Input> ready;
    const auto piece = queue->next(ready);
    if (piece) finish(*piece, ready);
    return ready;
  }
  void finish(const ShareQueue::Piece& piece, std::vector<Input>& ready) {
    bool meets = true;
    for (const chain::Hash& hash : memo.digests(piece.preimages))
      meets = meets && chain::share_value(hash) <= piece.target;
    queue->done(piece, meets, ready);
  }
  static std::optional<chain::NodeId> sender(const Input& input) {
    const auto* said = std::get_if<PeerSaid>(&input);
    return said ? std::optional(said->peer) : std::nullopt;
  }

  chain::Genesis genesis;
  chain::TemplateHeader header;
  CountingDigest computing;
  mining::MemoDigest memo{computing, 1000};
  std::optional<ShareQueue> queue;
};

}  // namespace eventchain::node::testing
