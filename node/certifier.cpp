#include "node/certifier.h"

#include <algorithm>
#include <utility>

#include "chain/planted.h"

namespace eventchain::node {

void Certifier::applied(const Committed& block) {
  if (signing_ == nullptr) return;
  const chain::Height height = block.sealed.header.height;
  tip_ = std::max(tip_, height);
  Open& open = open_[height];
  open.id = block.id;
  open.before = block.before;
  open.after = block.after;
  open.statement = chain::certified_statement(block.sealed.header, block.id);
  for (const auto& kept : chain::sound_signatures(*signing_, *open.before, *open.after,
                                                  open.statement, store_.signatures(height)))
    open.signatures[kept.slot] = kept.signature;
  for (const auto& brought : block.certificate) take(height, open, brought);
  const chain::Member* self = chain::find_member(*open.before, members_.self_id());
  const bool signs = self != nullptr && chain::may_certify(self->slot, *open.before, *open.after);
  if (signs && !open.signatures.contains(self->slot)) {
    // With another key than its record names, which is about to change or has just changed, it
    // signs nothing: nobody could tell that from a lie.
    const chain::SlotSignature own{self->slot, signing_->sign(open.statement)};
    if (holds(*open.before, *open.after, open.statement, own)) {
      open.signatures.emplace(own.slot, own.signature);
      store_.put_signature(height, own);
    }
  }
  if (signs && open.signatures.contains(self->slot)) tell(height);
  for (auto& [peer, by_height] : early_) {
    if (const auto early = by_height.find(height);
        early != by_height.end() && early->second.id == open.id)
      for (const auto& [slot, signature] : early->second.signatures)
        take(height, open, {slot, signature});
    by_height.erase(by_height.begin(), by_height.upper_bound(height));
  }
  note_quorum(height, open);
  close_old();
}

// The certificate of a block that changes the members is never given up: who follows the chain by
// certificates gets past it in no other way.
void Certifier::close_old() {
  for (auto it = open_.begin(); open_.size() > kOpenMax && it != open_.end();) {
    const bool is_wanted = it->second.before != it->second.after && !is_complete(it->second);
    it = is_wanted ? std::next(it) : open_.erase(it);
  }
}

// Of several blocks that one turn applied the last is told, which stands for the others, and those
// after which other voters sign: nobody can do without their certificates.
void Certifier::tell(chain::Height height) {
  if (!untold_.empty()) {
    const auto last = open_.find(untold_.back());
    if (last == open_.end() || last->second.before == last->second.after) untold_.pop_back();
  }
  untold_.push_back(height);
}

void Certifier::follow_up() {
  for (const chain::Height height : std::exchange(untold_, {})) {
    const auto found = open_.find(height);
    if (found == open_.end()) continue;
    found->second.is_passed_on = is_complete(found->second);
    if (chain::is_planted(chain::Mistake::kSignedBeforeApply)) {
      outbox_.send_ahead(members_.linked_all(), message_of(height, found->second));
    } else {
      outbox_.send(members_.linked_all(), message_of(height, found->second));
    }
  }
  pass_on();
}

void Certifier::pass_on() {
  const auto tip = open_.find(tip_);
  if (tip == open_.end()) return;
  Open& open = tip->second;
  if (open.is_passed_on || !is_complete(open)) return;
  open.is_passed_on = true;
  std::vector<chain::NodeId> to = members_.linked_all();
  std::erase_if(to, [this](const chain::NodeId& peer) {
    const auto shown = shown_.find(peer);
    return members_.is_voter(peer) || (shown != shown_.end() && shown->second >= tip_);
  });
  outbox_.send(std::move(to), message_of(tip_, open));
}

net::Signatures Certifier::message_of(chain::Height height, const Open& open) const {
  return {height, open.id, signatures_of(open)};
}

chain::Certificate Certifier::signatures_of(const Open& open) {
  chain::Certificate signatures;
  for (const auto& [slot, signature] : open.signatures) signatures.push_back({slot, signature});
  return signatures;
}

// With the key that its member had when the block was made.
bool Certifier::holds(const chain::MemberSet& before, const chain::MemberSet& after,
                      chain::ByteView statement, const chain::SlotSignature& one) const {
  const chain::Member* member = chain::member_at(before, one.slot);
  return member != nullptr && chain::may_certify(one.slot, before, after) &&
         signing_->verify(member->signing_key, statement, one.signature);
}

chain::Certificate Certifier::certificate_of(const chain::SealedHeader& sealed,
                                             const chain::BlockId& id) const {
  if (signing_ == nullptr) return {};
  const chain::Height height = sealed.header.height;
  auto kept = store_.signatures(height);
  if (kept.empty()) return {};
  const chain::MembersRef before = store_.members(height);
  const chain::MembersRef after = store_.members(height.next());
  if (!chain::is_certified(kept, *before, *after)) return {};
  kept = chain::sound_signatures(*signing_, *before, *after,
                                 chain::certified_statement(sealed.header, id), kept);
  return chain::is_certified(kept, *before, *after) ? kept : chain::Certificate{};
}

chain::Certificate Certifier::signatures_on_tip() const {
  const auto tip = open_.find(tip_);
  return tip == open_.end() ? chain::Certificate{} : signatures_of(tip->second);
}

bool Certifier::is_proof(const chain::MemberSet& before, const chain::MemberSet& after,
                         const chain::SealedHeader& sealed, const chain::BlockId& id,
                         const chain::Certificate& certificate) const {
  return signing_ != nullptr &&
         chain::is_proven_by(*signing_, before, after, sealed, id, certificate);
}

bool Certifier::take(chain::Height height, Open& open, const chain::SlotSignature& one) {
  if (open.signatures.contains(one.slot)) return true;
  if (!holds(*open.before, *open.after, open.statement, one)) return false;
  open.signatures.emplace(one.slot, one.signature);
  store_.put_signature(height, one);
  return true;
}

void Certifier::note_quorum(chain::Height height, const Open& open) {
  if (is_complete(open)) certified_ = std::max(certified_, height);
}

// Nothing of it can be verified before the block is here. What the peer added to it later counts,
// too, up to as many voters as there may be.
void Certifier::keep_early(std::map<chain::Height, Early>& of_peer,
                           const net::Signatures& message) {
  Early& early = of_peer[message.height];
  if (early.id != message.block) early = {message.block, {}};
  for (const auto& one : message.signatures) {
    if (early.signatures.size() >= chain::kVotersMax && !early.signatures.contains(one.slot)) break;
    early.signatures[one.slot] = one.signature;
  }
  while (of_peer.size() > kEarlyMax) of_peer.erase(of_peer.begin());
}

std::string Certifier::said(const chain::NodeId& peer, const net::Signatures& message) {
  if (signing_ == nullptr) return {};
  if (message.signatures.size() >= chain::certificate_quorum(members_.set()))
    shown_[peer] = std::max(shown_[peer], message.height);
  const auto found = open_.find(message.height);
  if (found == open_.end()) {
    // Of the future: kept until the block is here. Of the past: covered by something newer.
    if (message.height <= tip_) return {};
    keep_early(early_[peer], message);
    return {};
  }
  Open& open = found->second;
  if (open.id != message.block)
    return "a signature on another block than the one that is committed at its height";
  bool is_sound = true;
  for (const auto& one : message.signatures) is_sound = take(message.height, open, one) && is_sound;
  note_quorum(message.height, open);
  // Whoever lacks a majority is helped to one; who has it says nothing, so this ends.
  if (!chain::is_certified(message.signatures, *open.before, *open.after) && is_complete(open))
    outbox_.send(peer, message_of(message.height, open));
  return is_sound ? std::string() : "a signature that its member's key did not make";
}

void Certifier::peer_up(const chain::NodeId& peer) {
  if (const auto tip = open_.find(tip_); tip != open_.end() && !tip->second.signatures.empty())
    outbox_.send(peer, message_of(tip_, tip->second));
}

void Certifier::repeat() {
  for (const auto& [height, open] : open_) {
    const bool is_wanted =
        height == tip_ ? certified_ < tip_ : open.before != open.after && !is_complete(open);
    if (is_wanted) outbox_.send(members_.linked_all(), message_of(height, open));
  }
}

}  // namespace eventchain::node
