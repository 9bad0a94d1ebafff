#include "node/reads.h"

#include <algorithm>
#include <utility>

#include "chain/planted.h"
#include "consensus/configuration.h"

namespace eventchain::node {

bool Reads::is_inside(const chain::NodeId& node) const {
  return members_.is_voter(node) &&
         consensus::find_server(replica_.configuration(), server_of(node)) != nullptr;
}

void Reads::begin(const Read& read, chain::Instant deadline) {
  waiting_.emplace(read, deadline);
  deadlines_.emplace(deadline, read);
  fresh_.push_back(read);
}

void Reads::ask(RequestId request, chain::Instant deadline) {
  begin(request, deadline);
}

// --- as the one that is asked -----------------------------------------------------------------

void Reads::said(const chain::NodeId& peer, const net::ReadAsk& message, chain::Instant now) {
  const bool is_peer_inside = is_inside(peer);
  if (is_peer_inside && replica_.is_ready()) return gather(peer, message.question);
  // Who is not helped asks again, or somebody else.
  if (!is_inside(members_.self_id())) return;
  const std::optional<chain::NodeId> leader = leader_in_reach();
  if (is_peer_inside && (!leader || leader == members_.self_id() || leader == peer)) return;
  relay({peer, message.question}, now);
}

void Reads::relay(const Relayed& read, chain::Instant now) {
  const auto known = waiting_.find(read);
  if (known != waiting_.end()) {
    deadlines_.erase({known->second, read});
    known->second = now + kRelayPatience;
    deadlines_.emplace(known->second, read);
    return;
  }
  std::size_t& open = relayed_[read.peer];
  if (open >= kGatheredMax) return;
  ++open;
  begin(read, now + kRelayPatience);
}

// --- as the leader ----------------------------------------------------------------------------

void Reads::gather(const chain::NodeId& peer, std::uint64_t question) {
  if (!replica_.is_ready()) return;  // asked again
  std::map<std::uint64_t, consensus::LogIndex>& of_peer = gathered_[peer];
  if (of_peer.size() < kGatheredMax) of_peer.emplace(question, replica_.commit_index());
}

void Reads::said(const chain::NodeId& peer, const net::ReadRoundHeld& message) {
  if (message.term != round_term_ || message.round != round_ || in_round_.empty()) return;
  followers_.insert(peer);
}

bool Reads::is_followed() const {
  const consensus::Configuration& configuration = replica_.configuration();
  const auto follows = std::ranges::count_if(followers_, [&](const chain::NodeId& node) {
    const consensus::Server* server = consensus::find_server(configuration, server_of(node));
    return server != nullptr && server->suffrage == consensus::Suffrage::kVoter;
  });
  return static_cast<std::size_t>(follows) > consensus::voter_count(configuration) / 2;
}

void Reads::lead(chain::Instant now) {
  if (!replica_.is_ready() || replica_.term() != round_term_) {
    in_round_.clear();
    round_term_ = replica_.term();
    if (!replica_.is_ready()) gathered_.clear();
  }
  const auto send_round = [&] {
    round_repeat_at_ = now + kRepeatEvery;
    std::vector<chain::NodeId> to = members_.linked();
    std::erase_if(to, [&](const chain::NodeId& node) {
      return followers_.contains(node) ||
             consensus::find_server(replica_.configuration(), server_of(node)) == nullptr;
    });
    outbox_.send(std::move(to), net::ReadRound{round_term_, round_});
  };
  while (true) {
    if (in_round_.empty()) {
      if (gathered_.empty()) return;
      in_round_ = std::exchange(gathered_, {});
      followers_ = {members_.self_id()};
      ++round_;
      send_round();
    }
    if (!is_followed() && !chain::is_planted(chain::Mistake::kStaleReadIndex)) break;
    for (const auto& [node, asked] : std::exchange(in_round_, {})) {
      for (const auto& [question, index] : asked) {
        if (node != members_.self_id()) {
          outbox_.send(node, net::ReadTold{question, index});
        } else if (const auto own = questions_.find(question); own != questions_.end()) {
          told(own, index);
        }
      }
    }
  }
  if (round_repeat_at_ <= now) send_round();
}

// --- as a voter -------------------------------------------------------------------------------

void Reads::said(const chain::NodeId& peer, const net::ReadRound& message) {
  // Whoever has voted in a later term knows that term, and is silent.
  const auto leader = replica_.leader();
  if (message.term != replica_.term() || !leader || members_.node_of(*leader) != peer) return;
  outbox_.send(peer, net::ReadRoundHeld{message.term, message.round});
}

// --- as the node that is read -----------------------------------------------------------------

std::optional<chain::NodeId> Reads::leader_in_reach() const {
  const auto server = replica_.leader();
  const auto leader = server ? members_.node_of(*server) : std::nullopt;
  const bool is_reached = leader && (leader == members_.self_id() || members_.is_linked(*leader));
  return is_reached ? leader : std::nullopt;
}

std::optional<chain::NodeId> Reads::next_voter(const std::optional<chain::NodeId>& before) const {
  const auto& voters = members_.voters();
  const auto last = before ? std::ranges::find(voters, *before) : voters.end();
  const auto begin = last == voters.end() ? static_cast<std::size_t>(last_question_)
                                          : static_cast<std::size_t>(last - voters.begin());
  for (std::size_t i = 1; i <= voters.size(); ++i) {
    const chain::NodeId& voter = voters[(begin + i) % voters.size()];
    if (members_.is_linked(voter)) return voter;
  }
  return std::nullopt;
}

// What is being asked already may be answered with what was committed before the fresh ones came.
void Reads::pose(bool is_for_others) {
  const auto posed = std::stable_partition(fresh_.begin(), fresh_.end(), [&](const Read& read) {
    return std::holds_alternative<Relayed>(read) != is_for_others;
  });
  if (posed == fresh_.end()) return;
  questions_.emplace(++last_question_,
                     Question{{posed, fresh_.end()}, is_for_others, std::nullopt, {}, {}});
  fresh_.erase(posed, fresh_.end());
}

void Reads::ask_voters(chain::Instant now) {
  pose(false);
  pose(true);
  const std::optional<chain::NodeId> leader = leader_in_reach();
  for (auto& [number, question] : questions_) {
    const bool is_new = leader ? question.asked != leader : !question.asked;
    if (!is_new && question.repeat_at > now) continue;
    question.asked = leader || question.is_for_others ? leader : next_voter(question.asked);
    if (!question.asked) continue;
    question.repeat_at = now + kRepeatEvery;
    if (question.asked == members_.self_id()) {
      gather(members_.self_id(), number);
    } else {
      question.asked_of.insert(*question.asked);
      outbox_.send(*question.asked, net::ReadAsk{number});
    }
  }
}

void Reads::said(const chain::NodeId& peer, const net::ReadTold& message) {
  const auto question = questions_.find(message.question);
  if (question == questions_.end()) return;
  if (message.index.value != 0) {
    if (question->second.asked == peer) told(question, message.index);
  } else if (members_.is_voter(peer) && question->second.asked_of.contains(peer)) {
    // Whichever voter that was asked answers first: what it tells was so after the question.
    for (const Read& read : question->second.reads) by_height_.emplace(message.height, read);
    questions_.erase(question);
  }
}

void Reads::told(std::map<std::uint64_t, Question>::iterator question, consensus::LogIndex index) {
  for (const Read& read : question->second.reads) indexed_.emplace(index, read);
  questions_.erase(question);
}

void Reads::release(const Read& read) {
  const auto waiting = waiting_.find(read);
  if (waiting == waiting_.end()) return;  // its deadline came first
  deadlines_.erase({waiting->second, read});
  waiting_.erase(waiting);
  if (const auto* request = std::get_if<RequestId>(&read)) {
    outbox_.add(ReadReady{*request, true});
    return;
  }
  const Relayed& relayed = std::get<Relayed>(read);
  forget(relayed.peer);
  if (members_.is_linked(relayed.peer))
    outbox_.send(relayed.peer, net::ReadTold{relayed.question, {}, ledger_.state().height()});
}

void Reads::release() {
  while (!indexed_.empty() && indexed_.begin()->first <= replica_.applied_index()) {
    const Read read = indexed_.begin()->second;
    indexed_.erase(indexed_.begin());
    release(read);
  }
  while (!by_height_.empty() && by_height_.begin()->first <= ledger_.state().height()) {
    const Read read = by_height_.begin()->second;
    by_height_.erase(by_height_.begin());
    release(read);
  }
}

void Reads::forget(const chain::NodeId& peer) {
  const auto open = relayed_.find(peer);
  if (--open->second == 0) relayed_.erase(open);
}

void Reads::follow_up(chain::Instant now) {
  // Raft brings no index that it told before the leader was lost; to ask anew is always right.
  if (!indexed_.empty() && !leader_in_reach()) {
    for (const auto& [index, read] : indexed_) fresh_.push_back(read);
    indexed_.clear();
  }
  ask_voters(now);
  lead(now);
  release();
}

void Reads::expire(chain::Instant now) {
  const std::size_t before = waiting_.size();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const Read read = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    waiting_.erase(read);
    if (const auto* request = std::get_if<RequestId>(&read)) {
      outbox_.add(ReadReady{*request, false});
    } else {
      forget(std::get<Relayed>(read).peer);
    }
  }
  if (waiting_.size() == before) return;
  const auto is_over = [&](const Read& read) { return !waiting_.contains(read); };
  std::erase_if(fresh_, is_over);
  for (auto& [number, question] : questions_) std::erase_if(question.reads, is_over);
  std::erase_if(questions_, [](const auto& one) { return one.second.reads.empty(); });
  std::erase_if(indexed_, [&](const auto& one) { return is_over(one.second); });
  std::erase_if(by_height_, [&](const auto& one) { return is_over(one.second); });
}

std::optional<chain::Instant> Reads::next_deadline() const {
  std::optional<chain::Instant> next;
  const auto consider = [&](chain::Instant at) { next = next ? std::min(*next, at) : at; };
  if (!deadlines_.empty()) consider(deadlines_.begin()->first);
  for (const auto& [number, question] : questions_)
    if (question.asked) consider(question.repeat_at);
  if (!in_round_.empty()) consider(round_repeat_at_);
  return next;
}

}  // namespace eventchain::node
