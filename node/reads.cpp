#include "node/reads.h"

#include <algorithm>
#include <utility>

#include "chain/planted.h"
#include "consensus/configuration.h"

namespace eventchain::node {

void Reads::ask(RequestId request, chain::Instant deadline) {
  waiting_.emplace(request, deadline);
  deadlines_.emplace(deadline, request);
  fresh_.push_back(request);
}

// --- as the leader ----------------------------------------------------------------------------

void Reads::said(const chain::NodeId& peer, const net::ReadAsk& message) {
  // Whoever asks somebody who does not lead asks again.
  if (!replica_.is_ready()) return;
  std::map<std::uint64_t, consensus::LogIndex>& of_peer = gathered_[peer];
  if (of_peer.size() < kGatheredMax) of_peer.emplace(message.question, replica_.commit_index());
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
    std::erase_if(to, [&](const chain::NodeId& node) { return followers_.contains(node); });
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

void Reads::question_leader(chain::Instant now, const chain::NodeId& leader) {
  // What is being asked already may be answered with what was committed before these came.
  if (!fresh_.empty())
    questions_.emplace(++last_question_, Question{std::exchange(fresh_, {}), std::nullopt, {}});
  for (auto& [number, question] : questions_) {
    const bool is_due = question.asked != leader || question.repeat_at <= now;
    if (!is_due) continue;
    question.asked = leader;
    question.repeat_at = now + kRepeatEvery;
    if (leader == members_.self_id()) {
      said(leader, net::ReadAsk{number});
    } else if (members_.is_linked(leader)) {
      outbox_.send(leader, net::ReadAsk{number});
    }
  }
}

void Reads::said(const chain::NodeId& peer, const net::ReadTold& message) {
  const auto question = questions_.find(message.question);
  if (question != questions_.end() && question->second.asked == peer) told(question, message.index);
}

void Reads::told(std::map<std::uint64_t, Question>::iterator question, consensus::LogIndex index) {
  for (const RequestId read : question->second.reads) indexed_.emplace(index, read);
  questions_.erase(question);
}

void Reads::release() {
  while (!indexed_.empty() && indexed_.begin()->first <= replica_.applied_index()) {
    const RequestId request = indexed_.begin()->second;
    indexed_.erase(indexed_.begin());
    const auto read = waiting_.find(request);
    if (read == waiting_.end()) continue;  // its deadline came first
    deadlines_.erase({read->second, request});
    waiting_.erase(read);
    outbox_.add(ReadReady{request, true});
  }
}

void Reads::follow_up(chain::Instant now, const std::optional<chain::NodeId>& leader) {
  if (leader) {
    question_leader(now, *leader);
  } else {
    for (auto& [number, question] : questions_) question.asked.reset();
  }
  lead(now);
  release();
}

void Reads::expire(chain::Instant now) {
  const std::size_t before = waiting_.size();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const RequestId request = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    waiting_.erase(request);
    outbox_.add(ReadReady{request, false});
  }
  if (waiting_.size() == before) return;
  const auto is_over = [&](RequestId read) { return !waiting_.contains(read); };
  std::erase_if(fresh_, is_over);
  for (auto& [number, question] : questions_) std::erase_if(question.reads, is_over);
  std::erase_if(questions_, [](const auto& one) { return one.second.reads.empty(); });
  std::erase_if(indexed_, [&](const auto& one) { return is_over(one.second); });
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
