#include "node/share_queue.h"

#include <algorithm>
#include <utility>

#include "consensus/decision.h"

namespace eventchain::node {

namespace {

// The seals that a message has, in the order in which the core checks them.
std::vector<chain::SealedHeader> seals_of(const net::Message& message) {
  std::vector<chain::SealedHeader> seals;
  if (const auto* reply = std::get_if<net::BlocksReply>(&message)) {
    for (const auto& block : reply->blocks) seals.push_back(block.sealed);
  } else if (const auto* headers = std::get_if<net::HeadersReply>(&message)) {
    for (const auto& block : headers->blocks) seals.push_back(block.sealed);
  } else if (const auto* raft = std::get_if<net::RaftSaid>(&message)) {
    const auto* append = std::get_if<consensus::AppendEntries>(&raft->envelope.message);
    if (append == nullptr) return seals;
    for (const auto& entry : append->entries) {
      if (entry.kind != consensus::EntryKind::kCommand) continue;
      if (auto sealed = consensus::decode_decision(entry)) seals.push_back(std::move(*sealed));
    }
  }
  return seals;
}

bool is_reply(const net::Message& message) {
  return std::holds_alternative<net::BlocksReply>(message) ||
         std::holds_alternative<net::HeadersReply>(message);
}

}  // namespace

ShareQueue::ShareQueue(const chain::Genesis& genesis, const chain::NodeId& self,
                       const mining::MemoDigest& memo)
    : chain_(chain::chain_id(genesis)),
      share_count_(genesis.share_count),
      self_(self),
      memo_(memo) {}

ShareQueue::Peer& ShareQueue::peer_of(const chain::NodeId& id) {
  const auto [at, is_new] = peers_.try_emplace(id);
  if (is_new) at->second.link = ++last_link_;
  return at->second;
}

std::optional<ShareQueue::Piece> ShareQueue::piece_of(const chain::SealedHeader& sealed) const {
  const auto target = chain::expand(sealed.header.share_target);
  if (!target || sealed.header.chain != chain_ || sealed.seal.shares.size() != share_count_)
    return std::nullopt;
  Piece piece;
  piece.target = *target;
  for (const chain::Nonce& nonce : sealed.seal.shares)
    piece.preimages.push_back(chain::share_preimage(sealed.header, nonce));
  return piece;
}

bool ShareQueue::is_known(const Piece& piece) const {
  return std::ranges::all_of(piece.preimages, [this](const auto& one) { return memo_.knows(one); });
}

std::vector<ShareQueue::Piece> ShareQueue::pieces_of(
    const std::vector<chain::SealedHeader>& seals) const {
  std::vector<Piece> pieces;
  for (const chain::SealedHeader& sealed : seals) {
    if (sealed.header.height <= tip_) continue;
    auto piece = piece_of(sealed);
    if (!piece) break;  // the core looks no further than to what breaks a rule
    if (!is_known(*piece)) pieces.push_back(std::move(*piece));
  }
  std::ranges::reverse(pieces);
  return pieces;
}

std::optional<Input> ShareQueue::offer(PeerSaid said, std::size_t bytes) {
  const chain::NodeId from = said.peer;
  if (const auto* pushed = std::get_if<net::SharePush>(&said.message))
    return offer_share(from, {pushed->template_hash, pushed->nonce});
  const std::vector<chain::SealedHeader> seals = seals_of(said.message);
  if (seals.empty() || deaf_to_.contains(from)) return Input{std::move(said)};
  if (is_reply(said.message)) {
    Peer& peer = peer_of(from);
    if (peer.asked == 0) return Input{std::move(said)};  // the core does not look into it
    --peer.asked;
  }
  std::vector<Piece> pieces = pieces_of(seals);
  if (pieces.empty()) return Input{std::move(said)};
  keep(from, {Input{std::move(said)}, std::move(pieces), bytes, std::nullopt});
  return std::nullopt;
}

std::optional<Input> ShareQueue::offer(const MinerFound& found) {
  return offer_share(self_, found.share);
}

Input ShareQueue::share_input(const chain::NodeId& from, const mining::ShareFound& share) const {
  if (from == self_) return Input{MinerFound{share}};
  return Input{PeerSaid{from, net::SharePush{share.template_hash, share.nonce}}};
}

std::optional<Input> ShareQueue::offer_share(const chain::NodeId& from,
                                             const mining::ShareFound& share) {
  if (deaf_to_.contains(from)) {
    ++dropped_;
    return std::nullopt;
  }
  if (!in_hand_ || share.template_hash != in_hand_hash_) {
    // The own miner's are for templates that were in hand; this one's time is over.
    if (from == self_) return share_input(from, share);
    Peer& peer = peer_of(from);
    if (peer.early.size() == kEarlyMax) {
      peer.early.pop_front();
      ++dropped_;
    }
    peer.early.push_back(share);
    return std::nullopt;
  }
  Waiting waiting = waiting_share(from, share);
  if (is_known(waiting.pieces.front())) return std::move(waiting.input);
  keep(from, std::move(waiting));
  return std::nullopt;
}

ShareQueue::Waiting ShareQueue::waiting_share(const chain::NodeId& from,
                                              const mining::ShareFound& share) const {
  const auto target = chain::expand(in_hand_->share_target);
  EC_ASSERT(target.has_value(), "the core checked the template in hand");
  Piece piece;
  piece.preimages = {chain::share_preimage(*in_hand_, share.nonce)};
  piece.target = *target;
  constexpr std::size_t kBytes = 256;
  return {share_input(from, share), {std::move(piece)}, kBytes, share.template_hash};
}

void ShareQueue::keep(const chain::NodeId& from, Waiting waiting) {
  Peer& peer = peer_of(from);
  const bool is_too_much = !peer.waiting.empty() && peer.bytes + waiting.bytes > kBytesMax;
  if (is_too_much || peer.waiting.size() >= kWaitingMax) {
    ++dropped_;
    return;
  }
  for (Piece& piece : waiting.pieces) {
    piece.peer = from;
    piece.link = peer.link;
  }
  peer.bytes += waiting.bytes;
  peer.waiting.push_back(std::move(waiting));
}

// Others may have computed it meanwhile: the same share comes from many peers.
void ShareQueue::skip_known(Peer& peer, std::vector<Input>& ready) {
  while (!peer.waiting.empty()) {
    Waiting& first = peer.waiting.front();
    while (!first.pieces.empty() && is_known(first.pieces.back())) first.pieces.pop_back();
    if (!first.pieces.empty()) return;
    ready.push_back(std::move(first.input));
    peer.bytes -= first.bytes;
    peer.waiting.pop_front();
  }
}

std::optional<ShareQueue::Piece> ShareQueue::next(std::vector<Input>& ready) {
  auto at = served_last_ ? peers_.upper_bound(*served_last_) : peers_.begin();
  for (std::size_t tried = 0; tried < peers_.size(); ++tried, ++at) {
    if (at == peers_.end()) at = peers_.begin();
    Peer& peer = at->second;
    if (peer.is_in_work) continue;
    skip_known(peer, ready);
    if (peer.waiting.empty()) continue;
    peer.is_in_work = true;
    served_last_ = at->first;
    return peer.waiting.front().pieces.back();
  }
  return std::nullopt;
}

void ShareQueue::done(const Piece& piece, bool meets, std::vector<Input>& ready) {
  const auto found = peers_.find(piece.peer);
  if (found == peers_.end() || found->second.link != piece.link) return;  // its link is lost
  Peer& peer = found->second;
  peer.is_in_work = false;
  EC_ASSERT(!peer.waiting.empty() && !peer.waiting.front().pieces.empty(),
            "what is in work stays where it is");
  Waiting& first = peer.waiting.front();
  first.pieces.pop_back();
  if (!meets) first.pieces.clear();
  if (!first.pieces.empty()) return;
  ready.push_back(std::move(first.input));
  peer.bytes -= first.bytes;
  peer.waiting.pop_front();
}

// Shares of a template whose time is over are worth nothing.
void ShareQueue::drop_outdated(Peer& peer) {
  std::deque<Waiting> left;
  for (Waiting& waiting : peer.waiting) {
    const bool stays = peer.is_in_work && &waiting == &peer.waiting.front();
    if (!stays && waiting.share_of && (!in_hand_ || *waiting.share_of != in_hand_hash_))
      peer.bytes -= waiting.bytes;
    else
      left.push_back(std::move(waiting));
  }
  peer.waiting = std::move(left);
}

void ShareQueue::in_hand(const std::optional<chain::TemplateHeader>& header) {
  in_hand_ = header;
  in_hand_hash_ = header ? chain::template_hash(*header) : chain::TemplateHash{};
  for (auto& [id, peer] : peers_) {
    drop_outdated(peer);
    if (!header) continue;
    std::deque<mining::ShareFound> later;
    for (const mining::ShareFound& share : std::exchange(peer.early, {})) {
      if (share.template_hash != in_hand_hash_) {
        later.push_back(share);
        continue;
      }
      keep(id, waiting_share(id, share));
    }
    peer.early = std::move(later);
  }
}

void ShareQueue::hung_up(const chain::NodeId& peer) {
  peers_.erase(peer);
  deaf_to_.insert(peer);
}

void ShareQueue::asked(const chain::NodeId& peer) {
  unsigned& count = peer_of(peer).asked;
  count = std::min(count + 1, kAskedMax);
}

}  // namespace eventchain::node
