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
// Who is not linked to the leader, or not served by Raft, asks any voter it is linked to, another
// one each time. Whoever is asked so asks the leader in turn, as for a read of its own, and, when
// that may be answered, tells its height, which the asker waits to reach: Raft's index may never
// come to it, the blocks do. No clock and no one's word on who leads is part of it: the leader
// notes its index, and a majority follows it, after the first question was asked.
//
// A question goes over one voter at most, so it comes to an end: who asks for another asks the
// leader and nobody else. A voter takes another voter's question only while it is itself linked to
// a leader it follows; else two that lost the leader would wait for one another.
//
// All that one turn asks shares one question to the leader, and all questions that wait at the
// leader share one round, so the cost does not grow with the number of readers. Questions and
// rounds are repeated until answered; each client's read ends at its deadline. Owned by the node's
// core; bounded by the API's bound on open requests and kGatheredMax.
class Reads {
 public:
  static constexpr std::chrono::milliseconds kRepeatEvery{200};
  // A question of another node that is not repeated for so long is forgotten.
  static constexpr std::chrono::seconds kRelayPatience{2};

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
  void follow_up(chain::Instant now);
  void expire(chain::Instant now);
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const;
  [[nodiscard]] std::size_t open() const { return waiting_.size(); }  // others' included

 private:
  // Questions of one node beyond it are dropped; it asks again.
  static constexpr std::size_t kGatheredMax = 1024;

  // A question of a node that does not reach the leader, or that Raft does not serve.
  struct Relayed {
    chain::NodeId peer;
    std::uint64_t question = 0;
    auto operator<=>(const Relayed&) const = default;
  };
  using Read = std::variant<RequestId, Relayed>;
  struct Question {
    std::vector<Read> reads;  // of this node's clients, or of other nodes; never of both
    bool is_for_others = false;
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
  void relay(const Relayed& read, chain::Instant now);
  // The leader as Raft knows it here, if it can be asked: it is linked, or this node itself.
  [[nodiscard]] std::optional<chain::NodeId> leader_in_reach() const;
  void pose(bool is_for_others);
  void ask_voters(chain::Instant now);
  // A linked voter, after `before`, who did not answer.
  [[nodiscard]] std::optional<chain::NodeId> next_voter(
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
  std::multimap<chain::Height, Read> by_height_;      // the same, as a voter told
  std::map<chain::NodeId, std::size_t> relayed_;      // questions of each that wait
  std::uint64_t last_question_;

  Asked gathered_;  // for the next round
  Asked in_round_;
  std::set<chain::NodeId> followers_;  // that answered this round
  std::uint64_t round_ = 0;
  consensus::Term round_term_;
  chain::Instant round_repeat_at_;
};

}  // namespace eventchain::node
