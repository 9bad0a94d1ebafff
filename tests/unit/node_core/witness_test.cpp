#include "node/witness.h"

#include <doctest/doctest.h>

#include <optional>
#include <tuple>
#include <vector>

#include "store/memory_store.h"
#include "tests/unit/node_core/node_core_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using consensus::LogIndex;
using consensus::Term;

namespace {

consensus::RaftMessage accepted(std::uint64_t term, std::uint64_t last) {
  consensus::AppendEntriesResult result;
  result.term = Term{term};
  result.last_log_index = LogIndex{last};
  return result;
}
consensus::RaftMessage refused(std::uint64_t term, std::uint64_t last) {
  consensus::AppendEntriesResult result;
  result.term = Term{term};
  result.rejected = LogIndex{last + 5};
  result.last_log_index = LogIndex{last};
  return result;
}
consensus::RaftMessage entries(std::uint64_t term, std::uint64_t previous, std::size_t count) {
  consensus::AppendEntries append;
  append.term = Term{term};
  append.prev_index = LogIndex{previous};
  append.entries.resize(count);
  return append;
}
consensus::RaftMessage vote(std::uint64_t term, bool pre_vote) {
  consensus::RequestVote request;
  request.term = Term{term};
  request.pre_vote = pre_vote;
  return request;
}
consensus::RaftMessage answer(std::uint64_t term, bool pre_vote) {
  consensus::RequestVoteResult result;
  result.term = Term{term};
  result.pre_vote = pre_vote;
  return result;
}

struct Watched {
  Watched() { store.turns().begin(); }
  std::optional<net::Seen> link_up(std::size_t peer = 1) {
    return witness.peer_up(voter_id(peer), voter_store(peer));
  }
  bool hears(const consensus::RaftMessage& message) { return witness.heard(voter_id(1), message); }

  store::MemoryStore store{easy_genesis(3)};
  Witness witness{store.peers()};
};

net::Seen seen(std::uint64_t term, std::uint64_t index) {
  return {voter_store(1), Term{term}, LogIndex{index}};
}

}  // namespace

TEST_CASE("a peer is told the highest term it spoke in and how far its log reached in it") {
  Watched watched;
  CHECK_FALSE(watched.link_up());
  CHECK(watched.hears(accepted(3, 7)));
  CHECK(watched.hears(accepted(3, 9)));
  CHECK(watched.hears(accepted(3, 8)));  // overtaken on its way
  CHECK(watched.hears(refused(3, 20)));  // what nobody compared counts for nothing
  CHECK(watched.link_up() == seen(3, 9));
  CHECK(watched.hears(entries(4, 10, 2)));
  CHECK(watched.link_up() == seen(4, 12));
  CHECK_FALSE(watched.link_up(2));
}

TEST_CASE("a term below the one it spoke in before gives an older disk away") {
  for (const auto& message :
       {accepted(4, 50), refused(4, 50), entries(4, 1, 0), vote(4, false), answer(4, false),
        consensus::RaftMessage(consensus::TimeoutNow{0, Term{4}, {}, {}})}) {
    Watched watched;
    std::ignore = watched.link_up();
    CHECK(watched.hears(accepted(5, 9)));
    CHECK(watched.hears(message));  // late on the same link
    std::ignore = watched.link_up();
    CHECK_FALSE(watched.hears(message));
    CHECK(watched.link_up() == seen(5, 9));
  }
}

TEST_CASE("a log that ends before what it acknowledged in this term gives an older disk away") {
  Watched watched;
  std::ignore = watched.link_up();
  CHECK(watched.hears(accepted(5, 9)));
  std::ignore = watched.link_up();
  CHECK(watched.hears(refused(5, 9)));
  CHECK(watched.hears(refused(5, 0)));   // for the term of what was sent: does not say
  CHECK(watched.hears(accepted(5, 4)));  // compared up to here: the log may reach further
  CHECK_FALSE(watched.hears(refused(5, 8)));
  CHECK(watched.hears(refused(6, 8)));  // cut short by the next leader
}

TEST_CASE("polls say nothing of the term somebody is in") {
  Watched watched;
  std::ignore = watched.link_up();
  CHECK(watched.hears(accepted(5, 9)));
  CHECK(watched.hears(vote(6, true)));
  CHECK(watched.hears(answer(7, true)));
  CHECK(watched.link_up() == seen(5, 9));
  CHECK(watched.hears(vote(3, true)));
  CHECK(watched.hears(answer(3, true)));
}

TEST_CASE("what was seen outlives the node that saw it, and is another disk's no more") {
  Watched watched;
  std::ignore = watched.link_up();
  CHECK(watched.hears(accepted(5, 9)));
  watched.witness.save();
  CHECK(watched.hears(accepted(5, 10)));  // not written: a crash forgets it
  watched.store.turns().commit();
  watched.store.turns().begin();
  Witness next(watched.store.peers());
  CHECK(next.peer_up(voter_id(1), voter_store(1)) == seen(5, 9));
  CHECK_FALSE(next.heard(voter_id(1), vote(4, false)));
  CHECK_FALSE(next.peer_up(voter_id(1), voter_store(2)));
  CHECK(next.heard(voter_id(1), vote(1, false)));
}

TEST_CASE("nothing is written that is written already") {
  struct Counted : store::PeerMemory {
    std::vector<store::PeerSeen> load() override { return {}; }
    void save(const store::PeerSeen&) override { ++written; }
    int written = 0;
  } memory;
  Witness witness(memory);
  std::ignore = witness.peer_up(voter_id(1), voter_store(1));
  witness.save();
  CHECK(memory.written == 0);
  CHECK(witness.heard(voter_id(1), accepted(5, 8)));
  CHECK(witness.heard(voter_id(1), accepted(5, 9)));
  witness.save();
  CHECK(memory.written == 1);
  CHECK(witness.heard(voter_id(1), accepted(5, 9)));
  witness.save();
  CHECK(memory.written == 1);
}

TEST_CASE("a node knows by term and log that it has been further before") {
  CHECK(is_rolled_back(seen(6, 0), Term{5}, LogIndex{100}));
  CHECK(is_rolled_back(seen(5, 101), Term{5}, LogIndex{100}));
  CHECK_FALSE(is_rolled_back(seen(5, 100), Term{5}, LogIndex{100}));
  CHECK_FALSE(is_rolled_back(seen(4, 900), Term{5}, LogIndex{100}));
}
