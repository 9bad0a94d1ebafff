#pragma once

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "consensus/decision.h"
#include "node/members.h"
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
  explicit Checks(std::uint16_t share_count = kShares, bool is_light = false) {
    genesis = easy_genesis(3);
    genesis.share_count = share_count;
    genesis.first_target = genesis.easiest_target = chain::CompactTarget{0x207fffff};
    header.chain = chain::chain_id(genesis);
    header.height = chain::Height{1};
    header.share_target = genesis.first_target;
    header.share_count = share_count;
    queue.emplace(genesis, voter_id(0), memo, is_light);
    queue->in_hand(header);
  }

  [[nodiscard]] net::SharePush share(std::uint32_t low) const {
    return {chain::template_hash(header), {chain::nonce_high(chain::Slot{1}, 0, 0), low}};
  }
  bool passes(std::size_t peer, net::Message message) {
    PeerSaid said{voter_id(peer), std::move(message)};
    std::vector<ShareQueue::Piece> pieces;
    if (const auto look = queue->look_at(said, 1000)) {
      if (!look->has_room) {
        queue->drop();
        return false;
      }
      pieces = queue->pieces_of(said.message, *look);
    }
    return queue->offer(std::move(said), 1000, std::move(pieces)).has_value();
  }
  // Sealed with shares from `low` on, every second number.
  [[nodiscard]] chain::SealedHeader sealed(std::uint64_t height, std::uint32_t low) const {
    chain::SealedHeader result{header, {}};
    result.header.height = chain::Height{height};
    for (std::uint32_t i = 0; i < header.share_count; ++i)
      result.seal.shares.push_back({chain::nonce_high(chain::Slot{1}, 0, 0), low + 2 * i});
    return result;
  }
  [[nodiscard]] net::BlocksReply blocks(std::vector<chain::SealedHeader> seals) const {
    net::BlocksReply reply;
    reply.from = chain::Height{1};
    for (auto& seal : seals) reply.blocks.push_back({std::move(seal), {}});
    return reply;
  }
  // What a leader sends.
  [[nodiscard]] static net::RaftSaid entries(std::size_t from,
                                             const std::vector<chain::SealedHeader>& seals) {
    consensus::AppendEntries append;
    append.term = consensus::Term{3};
    for (const auto& seal : seals)
      append.entries.push_back(
          {consensus::Term{3}, consensus::EntryKind::kCommand, consensus::encode_decision(seal)});
    return {{server_of(voter_id(from)), server_of(voter_id(0)), append}};
  }
  // One piece; what may go to the core now.
  std::vector<Input> work() {
    std::vector<Input> ready;
    const auto piece = queue->next(ready);
    if (piece) finish(*piece, ready);
    return ready;
  }
  // All there is; how many digests that took.
  std::size_t work_off(std::vector<Input>* came = nullptr) {
    const std::size_t before = computing.count;
    std::vector<Input> ready;
    while (const auto piece = queue->next(ready)) finish(*piece, ready);
    if (came != nullptr) *came = std::move(ready);
    return computing.count - before;
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
  mining::MemoDigest memo{computing, 100'000};
  std::optional<ShareQueue> queue;
};

}  // namespace eventchain::node::testing
