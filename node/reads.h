#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "consensus/replica.h"
#include "node/inputs.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// Linearizable reads: when may this node answer from its own store and miss nothing that was
// committed before it was asked? Raft's read index (thesis, section 6.4): the leader notes its
// commit index, makes sure that a majority has not followed anybody else since, and tells the
// index; whoever asked waits until it has applied that much.
//
// All that one turn asks shares one question to the leader, and all questions that wait at the
// leader share one round, so the cost does not grow with the number of readers. Questions and
// rounds are repeated until answered; each client's read ends at its deadline. Owned by the node's
// core; bounded by the API's bound on open requests and kGatheredMax.
class Reads {
 public:
  static constexpr std::chrono::milliseconds kRepeatEvery{200};

  // `first_question`: random, so that no answer to an earlier run of this node fits a question.
  Reads(const Members& members, Outbox& outbox, const consensus::Replica& replica,
        std::uint64_t first_question)
      : members_(members), outbox_(outbox), replica_(replica), last_question_(first_question) {}

  void ask(RequestId request, chain::Instant deadline);

  void said(const chain::NodeId& peer, const net::ReadAsk& message);
  void said(const chain::NodeId& peer, const net::ReadRound& message);
  void said(const chain::NodeId& peer, const net::ReadRoundHeld& message);
  void said(const chain::NodeId& peer, const net::ReadTold& message);

  // Follows up on all of that, on what was applied and on who leads. Call at the end of a step.
  void follow_up(chain::Instant now, const std::optional<chain::NodeId>& leader);
  void expire(chain::Instant now);
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;
  [[nodiscard]] std::size_t open() const { return waiting_.size(); }

 private:
  // Questions of one node beyond it are dropped; it asks again.
  static constexpr std::size_t kGatheredMax = 1024;

  struct Question {
    std::vector<RequestId> reads;
    std::optional<chain::NodeId> asked;
    chain::Instant repeat_at;
  };
  // Questions asked of this node as the leader, with what was committed when each came.
  using Asked = std::map<chain::NodeId, std::map<std::uint64_t, consensus::LogIndex>>;

  void lead(chain::Instant now);
  // Whether those that answered this round are a majority of Raft's voters.
  [[nodiscard]] bool is_followed() const;
  void question_leader(chain::Instant now, const chain::NodeId& leader);
  void told(std::map<std::uint64_t, Question>::iterator question, consensus::LogIndex index);
  void release();

  const Members& members_;
  Outbox& outbox_;
  const consensus::Replica& replica_;

  std::map<RequestId, chain::Instant> waiting_;  // with their deadlines
  std::set<std::pair<chain::Instant, RequestId>> deadlines_;
  std::vector<RequestId> fresh_;  // not part of a question yet
  std::map<std::uint64_t, Question> questions_;
  std::multimap<consensus::LogIndex, RequestId> indexed_;  // wait to be applied here
  std::uint64_t last_question_;

  Asked gathered_;  // for the next round
  Asked in_round_;
  std::set<chain::NodeId> followers_;  // that answered this round
  std::uint64_t round_ = 0;
  consensus::Term round_term_;
  chain::Instant round_repeat_at_;
};

}  // namespace eventchain::node
