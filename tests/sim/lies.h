#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "chain/rng.h"
#include "net/messages.h"
#include "tests/sim/node_host.h"
#include "tests/sim/roster.h"

namespace eventchain::sim {

// What a member with a valid certificate and no vote can say that is not true (F22). Every lie is
// made of what it has heard, of what its own node knows, or of nothing at all.
class Lies {
 public:
  enum class Kind : std::uint8_t {
    kReplay,     // what somebody said, as its own and at another time
    kGarble,     // that, with a few octets changed
    kRaft,       // Raft's messages, in anybody's name
    kTips,       // heights, terms and leaders that are not; clocks
    kTemplates,  // work on other content, or content that the header does not stand for
    kShares,     // nonces of any slot, good by chance or not
    kBlocks,     // blocks with a part exchanged
    kSeals,      // a block that keeps every rule, sealed by the liar alone
    kBodies,     // new events, other content under keys that are known
    kAnnounces,  // of bodies that nobody has
    kRequests,   // for anything, in any number
    kAnswers,    // to what was asked, or was not
  };
  static constexpr std::size_t kKinds = 12;

  // Where Raft's log ends.
  struct LogEnd {
    consensus::Term term;
    consensus::LogIndex index;
  };

  // `host` and `roster` outlive it.
  Lies(NodeHost& host, const Roster& roster, chain::Rng rng);

  void remember(const net::Message& message);
  // Nobody tells a member without a vote, but who guesses often guesses right.
  void guess(const LogEnd& end) { log_end_ = end; }
  // nullopt: it knows too little so far. Not every lie can travel: the codec may refuse it.
  std::optional<net::Message> make(Kind kind, std::size_t to);
  // An answer to somebody's request for the next block.
  std::optional<net::Message> make_asked(const net::Message& request);
  // What its node says, changed.
  net::Message twist(net::Message message);

 private:
  template <class Kind>
  const Kind* recall();
  const net::Message* recall_any();
  std::optional<net::Message> garbled(const net::Message& message);

  net::RaftSaid make_raft(std::size_t to);
  net::TipSaid make_tip();
  std::optional<net::Message> make_template();
  std::optional<net::Message> make_share();
  std::optional<net::Message> make_blocks();
  std::optional<chain::Block> seal_next();
  std::optional<net::Message> make_seal();
  net::Message make_bodies();
  net::EventsAnnounce make_announce();
  net::Message make_request();
  net::Message make_answer();

  void twist_content(chain::BlockContent& content);
  void twist_header(chain::TemplateHeader& header);
  void twist_block(chain::Block& block);
  void twist_certificate(chain::Certificate& certificate);
  chain::EntryRef invent_entry();
  chain::MemberOrder invent_order();
  chain::Height some_height();
  std::uint64_t some_number(std::uint64_t near);
  std::size_t some_host() { return rng_.below(roster_.size()); }

  NodeHost& host_;
  const Roster& roster_;
  chain::Rng rng_;
  std::array<std::deque<net::Message>, net::kMessageKinds> heard_;
  LogEnd log_end_{consensus::Term{1}, consensus::LogIndex{1}};
  std::uint64_t bodies_ = 0;
};

}  // namespace eventchain::sim
