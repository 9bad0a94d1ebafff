#include "node/share_queue.h"

#include <algorithm>
#include <utility>

#include "consensus/decision.h"
#include "node/members.h"

namespace eventchain::node {

namespace {

// Enough for what a peer says at once where few shares make a seal.
constexpr std::size_t kWaitingMin = 64;
constexpr std::size_t kEarlyMin = 32;
// Blocks that may be on their way to be committed when entries come: the tip is known a little
// late.
constexpr std::uint64_t kAheadMax = 4;
// As many as Raft sends at once; a reply has fewer.
constexpr std::size_t kSealsMax = 512;

std::size_t bytes_of(const std::vector<ShareQueue::Piece>& pieces) {
  std::size_t bytes = 0;
  for (const ShareQueue::Piece& piece : pieces)
    bytes += sizeof(piece) + piece.preimages.size() * sizeof(chain::SharePreimage);
  return bytes;
}

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

}  // namespace

ShareQueue::ShareQueue(const chain::Genesis& genesis, const chain::NodeId& self,
                       const mining::MemoDigest& memo, bool is_light)
    : chain_(chain::chain_id(genesis)),
      share_count_(genesis.share_count),
      easiest_(chain::expand(genesis.easiest_target).value_or(chain::U256::max())),
      waiting_max_(std::max<std::size_t>(kWaitingMin, 2 * std::size_t{genesis.share_count})),
      early_max_(std::max<std::size_t>(kEarlyMin, 2 * std::size_t{genesis.share_count})),
      self_(self),
      memo_(memo),
      is_light_(is_light),
      members_(std::make_shared<const chain::MemberSet>(chain::first_members(genesis))) {}

ShareQueue::Peer& ShareQueue::peer_of(const chain::NodeId& id) {
  const auto [at, is_new] = peers_.try_emplace(id);
  if (is_new) at->second.link = ++last_link_;
  return at->second;
}

std::optional<ShareQueue::Piece> ShareQueue::piece_of(const chain::SealedHeader& sealed) const {
  const auto target = chain::expand(sealed.header.share_target);
  if (!target || *target > easiest_ || sealed.header.chain != chain_ ||
      sealed.seal.shares.size() != share_count_)
    return std::nullopt;
  const chain::TemplateHash hash = chain::template_hash(sealed.header);
  Piece piece;
  piece.height = sealed.header.height;
  piece.target = *target;
  for (const chain::Nonce& nonce : sealed.seal.shares)
    piece.preimages.push_back(chain::share_preimage(sealed.header, hash, nonce));
  return piece;
}

bool ShareQueue::is_known(const Piece& piece) const {
  return std::ranges::all_of(piece.preimages, [this](const auto& one) { return memo_.knows(one); });
}

std::vector<ShareQueue::Piece> ShareQueue::pieces_of(const net::Message& message,
                                                     const Look& look) const {
  std::vector<Piece> pieces;
  std::optional<chain::Height> last;
  std::size_t looked_at = 0;
  for (const chain::SealedHeader& sealed : seals_of(message)) {
    const chain::Height height = sealed.header.height;
    if (height <= last.value_or(look.tip)) continue;  // of the past, or lost to the one before it
    // The core looks no further than to a gap, or to what breaks a rule.
    const bool follows =
        last ? height == last->next() : height.value <= look.reach.value + kAheadMax;
    if (!follows || looked_at++ == look.seals_max) break;
    last = height;
    auto piece = piece_of(sealed);
    if (!piece) break;
    if (!is_known(*piece)) pieces.push_back(std::move(*piece));
  }
  std::ranges::reverse(pieces);
  return pieces;
}

std::optional<ShareQueue::Look> ShareQueue::look_at(const PeerSaid& said, std::size_t bytes) {
  if (deaf_to_.contains(said.peer)) return std::nullopt;
  Look look{true, tip_, tip_, kSealsMax};
  if (const auto* raft = std::get_if<net::RaftSaid>(&said.message)) {
    const auto* append = std::get_if<consensus::AppendEntries>(&raft->envelope.message);
    if (append == nullptr || append->entries.empty()) return std::nullopt;
    const chain::Member* member = chain::find_member(*members_, said.peer);
    const bool is_heard = !is_light_ && raft->envelope.from == server_of(said.peer) &&
                          (member == nullptr || member->role != chain::MemberRole::kLight);
    if (!is_heard) return std::nullopt;
    // A node that is behind may not know yet that its leader is a voter. What it takes from others
    // would stop the core if nothing was computed.
    if (member == nullptr || member->role != chain::MemberRole::kVoter) look.seals_max = 1;
  } else {
    const bool is_reply = is_light_ ? std::holds_alternative<net::HeadersReply>(said.message)
                                    : std::holds_alternative<net::BlocksReply>(said.message);
    if (!is_reply) return std::nullopt;
    Peer& peer = peer_of(said.peer);
    if (peer.asked == 0) return std::nullopt;  // the core does not look into it
    --peer.asked;
  }
  const Peer& peer = peer_of(said.peer);
  look.reach = std::max(tip_, peer.reach);
  look.has_room = has_room(peer, bytes);
  return look;
}

std::optional<Input> ShareQueue::offer(PeerSaid said, std::size_t bytes,
                                       std::vector<Piece> pieces) {
  const chain::NodeId from = said.peer;
  if (const auto* pushed = std::get_if<net::SharePush>(&said.message))
    return offer_share(from, {pushed->template_hash, pushed->nonce});
  if (pieces.empty()) return Input{std::move(said)};
  bytes += bytes_of(pieces);
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
  if (from != self_ && is_light_) return share_input(from, share);
  const bool is_in_hand = in_hand_ && share.template_hash == in_hand_hash_;
  if (!is_in_hand || deaf_to_.contains(from)) {
    // The own miner's are for templates that were in hand; this one's time is over.
    if (from == self_) return share_input(from, share);
    Peer& peer = peer_of(from);
    if (peer.early.size() == early_max_) {
      peer.early.pop_front();
      ++dropped_;
    }
    peer.early.push_back(share);
    return std::nullopt;
  }
  if (is_full_) return share_input(from, share);
  if (!has_room(peer_of(from), 0)) {
    ++dropped_;
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
  piece.preimages = {chain::share_preimage(*in_hand_, in_hand_hash_, share.nonce)};
  piece.target = *target;
  std::vector<Piece> pieces{std::move(piece)};
  const std::size_t bytes = sizeof(Waiting) + bytes_of(pieces);
  return {share_input(from, share), std::move(pieces), bytes, share.template_hash};
}

bool ShareQueue::has_room(const Peer& peer, std::size_t bytes) const {
  const bool is_too_much = !peer.waiting.empty() && peer.bytes + bytes > kBytesMax;
  return !is_too_much && peer.waiting.size() < waiting_max_;
}

void ShareQueue::keep(const chain::NodeId& from, Waiting waiting) {
  Peer& peer = peer_of(from);
  if (!has_room(peer, waiting.bytes)) {
    ++dropped_;
    return;
  }
  for (Piece& piece : waiting.pieces) {
    piece.peer = from;
    piece.link = peer.link;
    peer.reach = std::max(peer.reach, piece.height);
  }
  peer.bytes += waiting.bytes;
  peer.waiting.push_back(std::move(waiting));
}

bool ShareQueue::is_surplus(const Waiting& waiting) const {
  return is_full_ && in_hand_ && waiting.share_of == in_hand_hash_;
}

// Others may have computed it meanwhile: the same share comes from many peers.
void ShareQueue::skip_known(Peer& peer, std::vector<Input>& ready) {
  while (!peer.waiting.empty()) {
    Waiting& first = peer.waiting.front();
    if (is_surplus(first)) first.pieces.clear();
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

void ShareQueue::in_hand(const std::optional<chain::TemplateHeader>& header, bool is_full) {
  in_hand_ = header;
  is_full_ = is_full;
  in_hand_hash_ = header ? chain::template_hash(*header) : chain::TemplateHash{};
  for (auto& [id, peer] : peers_) {
    drop_outdated(peer);
    if (!deaf_to_.contains(id)) release_early(id, peer);
  }
}

void ShareQueue::release_early(const chain::NodeId& id, Peer& peer) {
  if (!in_hand_) return;
  std::deque<mining::ShareFound> later;
  for (const mining::ShareFound& share : std::exchange(peer.early, {})) {
    if (share.template_hash == in_hand_hash_)
      keep(id, waiting_share(id, share));
    else
      later.push_back(share);
  }
  peer.early = std::move(later);
}

void ShareQueue::hung_up(const chain::NodeId& peer) {
  peers_.erase(peer);
  deaf_to_.insert(peer);
}

bool ShareQueue::spoke_to(const chain::NodeId& peer) {
  if (deaf_to_.erase(peer) == 0) return false;
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  release_early(peer, found->second);
  return !found->second.waiting.empty();
}

void ShareQueue::asked(const chain::NodeId& peer) {
  unsigned& count = peer_of(peer).asked;
  count = std::min(count + 1, kAskedMax);
}

}  // namespace eventchain::node
