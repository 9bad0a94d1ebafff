#include "node/witness.h"

#include <algorithm>
#include <variant>

namespace eventchain::node {

using consensus::LogIndex;
using consensus::Term;

namespace {

// The term its sender is in; 0: it does not say.
Term term_of(const consensus::RaftMessage& message) {
  if (const auto* vote = std::get_if<consensus::RequestVote>(&message))
    return vote->pre_vote ? Term{} : vote->term;
  if (const auto* result = std::get_if<consensus::RequestVoteResult>(&message))
    return result->pre_vote ? Term{} : result->term;
  return std::visit([](const auto& one) { return one.term; }, message);
}

// What the sender's log must reach for it to say this. A leader never shortens its own log.
LogIndex index_of(const consensus::RaftMessage& message) {
  if (const auto* append = std::get_if<consensus::AppendEntries>(&message))
    return LogIndex{append->prev_index.value + append->entries.size()};
  if (const auto* result = std::get_if<consensus::AppendEntriesResult>(&message))
    if (result->rejected.value == 0) return result->last_log_index;
  return LogIndex{};
}

// Where the sender's log ends, from one who refuses what comes after. Who refuses for the term
// alone says 0.
std::optional<LogIndex> end_of_log(const consensus::RaftMessage& message) {
  const auto* result = std::get_if<consensus::AppendEntriesResult>(&message);
  if (result == nullptr || result->rejected.value == 0 || result->last_log_index.value == 0)
    return std::nullopt;
  return result->last_log_index;
}

}  // namespace

Witness::Witness(store::PeerMemory& memory) : memory_(memory) {
  for (const store::PeerSeen& seen : memory_.load()) peers_[seen.node] = {seen, seen, false};
}

std::optional<net::Seen> Witness::peer_up(const chain::NodeId& peer, const chain::StoreId& store) {
  Peer& one = peers_[peer];
  if (one.seen.store != store) one = {{peer, store, {}, {}}, {}, false};
  one.at_link_up = one.seen;
  if (one.seen.term.value == 0) return std::nullopt;
  return net::Seen{store, one.seen.term, one.seen.index};
}

bool Witness::heard(const chain::NodeId& peer, const consensus::RaftMessage& message) {
  const auto found = peers_.find(peer);
  const Term term = term_of(message);
  if (found == peers_.end() || term.value == 0) return true;
  Peer& one = found->second;
  const store::PeerSeen& before = one.at_link_up;
  if (term < before.term) return false;
  if (const auto end = end_of_log(message); end && term == before.term && *end < before.index)
    return false;
  if (term < one.seen.term) return true;  // overtaken by what it said later
  const bool is_new_term = term > one.seen.term;
  const LogIndex index = index_of(message);
  if (!is_new_term && index <= one.seen.index) return true;
  one.seen.term = term;
  one.seen.index = is_new_term ? index : std::max(index, one.seen.index);
  one.has_grown = true;
  return true;
}

void Witness::save() {
  for (auto& [node, one] : peers_) {
    if (!one.has_grown) continue;
    memory_.save(one.seen);
    one.has_grown = false;
  }
}

bool is_rolled_back(const net::Seen& told, Term term, LogIndex last) {
  return told.term > term || (told.term == term && told.index > last);
}

}  // namespace eventchain::node
