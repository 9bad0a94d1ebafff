#include "node/certifier.h"

#include <algorithm>
#include <utility>

#include "chain/planted.h"

namespace eventchain::node {

void Certifier::applied(const chain::SealedHeader& sealed, const chain::BlockId& id,
                        chain::MembersRef members) {
  if (signing_ == nullptr) return;
  const chain::Height height = sealed.header.height;
  tip_ = std::max(tip_, height);
  Open& open = open_[height];
  open.id = id;
  open.members = std::move(members);
  open.statement = chain::certified_statement(sealed.header, id);
  for (const auto& kept : store_.signatures(height)) {
    if (holds(open, kept)) open.signatures[kept.slot] = kept.signature;
  }
  const chain::Member* self = chain::find_member(*open.members, members_.self_id());
  if (self != nullptr && self->role == chain::MemberRole::kVoter &&
      !open.signatures.contains(self->slot)) {
    const chain::Signature signature = signing_->sign(open.statement);
    open.signatures.emplace(self->slot, signature);
    store_.put_signature(height, {self->slot, signature});
  }
  has_signed_ = true;
  for (auto& [slot, by_height] : early_) {
    if (const auto early = by_height.find(height); early != by_height.end())
      if (early->second.id == id) take(height, open, {slot, early->second.signature});
    by_height.erase(by_height.begin(), by_height.upper_bound(height));
  }
  note_quorum(height, open);
  while (open_.size() > kOpenMax) open_.erase(open_.begin());
}

// Of several blocks that one turn applied only the last is told: it stands for the others.
void Certifier::follow_up() {
  if (!std::exchange(has_signed_, false)) return;
  if (chain::is_planted(chain::Mistake::kSignedBeforeApply)) {
    outbox_.send_ahead(members_.linked(), message_of(tip_, open_.at(tip_)));
    return;
  }
  outbox_.send(members_.linked(), message_of(tip_, open_.at(tip_)));
}

net::Signatures Certifier::message_of(chain::Height height, const Open& open) const {
  net::Signatures message{height, open.id, {}};
  for (const auto& [slot, signature] : open.signatures)
    message.signatures.push_back({slot, signature});
  return message;
}

bool Certifier::holds(const Open& open, const chain::SlotSignature& one) const {
  const chain::Member* member = chain::member_at(*open.members, one.slot);
  return member != nullptr && member->role == chain::MemberRole::kVoter &&
         signing_->verify(member->signing_key, open.statement, one.signature);
}

bool Certifier::take(chain::Height height, Open& open, const chain::SlotSignature& one) {
  if (open.signatures.contains(one.slot)) return true;
  if (!holds(open, one)) return false;
  open.signatures.emplace(one.slot, one.signature);
  store_.put_signature(height, one);
  return true;
}

void Certifier::note_quorum(chain::Height height, const Open& open) {
  if (open.signatures.size() >= quorum(open)) certified_ = std::max(certified_, height);
}

std::string Certifier::said(const chain::NodeId& peer, const net::Signatures& message) {
  if (signing_ == nullptr) return {};
  const auto found = open_.find(message.height);
  if (found == open_.end()) {
    // Of the future: kept until the block is here. Of the past: covered by something newer.
    if (message.height <= tip_) return {};
    for (const auto& one : message.signatures) {
      if (chain::member_at(members_.set(), one.slot) == nullptr) continue;
      auto& by_height = early_[one.slot];
      by_height[message.height] = {message.block, one.signature};
      while (by_height.size() > kEarlyMax) by_height.erase(by_height.begin());
    }
    return {};
  }
  Open& open = found->second;
  if (open.id != message.block)
    return "a signature on another block than the one that is committed at its height";
  bool is_sound = true;
  for (const auto& one : message.signatures) is_sound = take(message.height, open, one) && is_sound;
  note_quorum(message.height, open);
  // Whoever lacks a majority is helped to one; who has it says nothing, so this ends.
  if (message.signatures.size() < quorum(open) && open.signatures.size() >= quorum(open))
    outbox_.send(peer, message_of(message.height, open));
  return is_sound ? std::string() : "a signature that its member's key did not make";
}

void Certifier::peer_up(const chain::NodeId& peer) {
  if (const auto tip = open_.find(tip_); tip != open_.end())
    outbox_.send(peer, message_of(tip_, tip->second));
}

void Certifier::repeat() {
  const auto tip = open_.find(tip_);
  if (tip != open_.end() && certified_ < tip_)
    outbox_.send(members_.linked(), message_of(tip_, tip->second));
}

}  // namespace eventchain::node
