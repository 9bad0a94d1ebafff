#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "consensus/replica.h"
#include "node/inputs.h"
#include "node/ledger.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// Linearizable reads: when may this node answer from its own store and miss nothing that was
// committed before it was asked? Raft's read index (thesis, section 6.4): the leader notes its
// commit index, makes sure that a majority has not followed anybody else since, and tells the
// index; whoever asked waits until it has applied that much.
//
// A node that Raft does not serve knows no index, and mostly no leader. It asks the leader or any
// voter it is linked to, another one each time. Whoever is asked by such a node takes the question
// for a read of its own and, when that may be answered, tells its height, which the asker waits to
// reach.
//
// All that one turn asks shares one question to the leader, and all questions that wait at the
// leader share one round, so the cost does not grow with the number of readers. Questions and
// rounds are repeated until answered; each client's read ends at its deadline. Owned by the node's
// core; bounded by the API's bound on open requests and kGatheredMax.
class Reads {
 public:
  static constexpr std::chrono::milliseconds kRepeatEvery{200};
  // A question of a node outside Raft that is not repeated for so long is forgotten.
  static constexpr std::chrono::seconds kOutsidePatience{2};

  // `first_question`: random, so that no answer to an earlier run of this node fits a question.
  Reads(const Members& members, Outbox& outbox, const consensus::Replica& replica,
        const Ledger& ledger, std::uint64_t first_question)
      : members_(members),
        outbox_(outbox),
        replica_(replica),
        ledger_(ledger),
        last_question_(first_question) {}

  void ask(RequestId request, chain::Instant deadline);

  void said(const chain::NodeId& peer, const net::ReadAsk& message, chain::Instant now);
  void said(const chain::NodeId& peer, const net::ReadRound& message);
  void said(const chain::NodeId& peer, const net::ReadRoundHeld& message);
  void said(const chain::NodeId& peer, const net::ReadTold& message);

  // Follows up on all of that, on what was applied and on who leads. Call at the end of a step.
  void follow_up(chain::Instant now, const std::optional<chain::NodeId>& leader);
  void expire(chain::Instant now);
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;
  [[nodiscard]] std::size_t open() const { return waiting_.size(); }  // others' included

 private:
  // Questions of one node beyond it are dropped; it asks again.
  static constexpr std::size_t kGatheredMax = 1024;

  // A question of a node outside Raft.
  struct Outside {
    chain::NodeId peer;
    std::uint64_t question = 0;
    auto operator<=>(const Outside&) const = default;
  };
  using Read = std::variant<RequestId, Outside>;
  struct Question {
    std::vector<Read> reads;
    std::optional<chain::NodeId> asked;
    chain::Instant repeat_at;
    std::set<chain::NodeId> asked_of;  // everybody whose answer may still come
  };
  // Questions asked of this node as the leader, with what was committed when each came.
  using Asked = std::map<chain::NodeId, std::map<std::uint64_t, consensus::LogIndex>>;

  void lead(chain::Instant now);
  // Whether those that answered this round are a majority of Raft's voters.
  [[nodiscard]] bool is_followed() const;
  // Votes, and is served by Raft.
  [[nodiscard]] bool is_inside(const chain::NodeId& node) const;
  void gather(const chain::NodeId& peer, std::uint64_t question);
  void ask_voters(chain::Instant now, const std::optional<chain::NodeId>& leader);
  // Whom to ask after `before`, who did not answer.
  [[nodiscard]] std::optional<chain::NodeId> whom(const std::optional<chain::NodeId>& leader,
                                                  const std::optional<chain::NodeId>& before) const;
  void told(std::map<std::uint64_t, Question>::iterator question, consensus::LogIndex index);
  void begin(const Read& read, chain::Instant deadline);
  void release();
  void release(const Read& read);
  void forget(const chain::NodeId& peer);  // one question of it

  const Members& members_;
  Outbox& outbox_;
  const consensus::Replica& replica_;
  const Ledger& ledger_;

  std::map<Read, chain::Instant> waiting_;  // with their deadlines
  std::set<std::pair<chain::Instant, Read>> deadlines_;
  std::vector<Read> fresh_;  // not part of a question yet
  std::map<std::uint64_t, Question> questions_;
  std::multimap<consensus::LogIndex, Read> indexed_;  // wait to be applied here
  std::multimap<chain::Height, Read> by_height_;      // the same, where Raft does not serve
  std::map<chain::NodeId, std::size_t> outside_;      // questions of each that wait
  std::uint64_t last_question_;

  Asked gathered_;  // for the next round
  Asked in_round_;
  std::set<chain::NodeId> followers_;  // that answered this round
  std::uint64_t round_ = 0;
  consensus::Term round_term_;
  chain::Instant round_repeat_at_;
};

}  // namespace eventchain::node
