#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "net/peer_book.h"

using namespace eventchain;
using namespace eventchain::net;
using namespace std::chrono_literals;

namespace {

// A cluster of nothing but peer books, in virtual time. Dials take some milliseconds, dials to the
// dead five seconds; connections cross and give way as link_rules.h has it. What is checked comes
// from the population's own table of links, not from what the books believe.
class Population {
 public:
  Population(std::size_t nodes, std::size_t voters, std::uint64_t seed)
      : rng_(seed), voters_(voters) {
    PeerTable table;
    for (std::size_t i = 0; i < nodes; ++i)
      table.peers.push_back({id_of(i), "host", static_cast<std::uint16_t>(i), i < voters,
                             "site" + std::to_string(i % 5)});
    for (std::size_t i = 0; i < nodes; ++i) {
      nodes_.emplace_back(PeerBook(id_of(i), PeerRules{}, rng_.fork(std::to_string(i))));
      table.self_is_voter = i < voters;
      nodes_[i].book.set_table(table);
    }
    for (std::size_t i = 0; i < nodes; ++i) replan(i);
  }

  void run_until(chain::Instant end) {
    while (!queue_.empty() && queue_.begin()->first.first <= end) {
      const auto event = queue_.extract(queue_.begin());
      now_ = event.key().first;
      event.mapped()();
    }
    now_ = end;
  }

  void kill(std::size_t node) {
    nodes_[node].is_alive = false;
    const std::map<std::size_t, Link> links = nodes_[node].links;
    for (const auto& [other, link] : links) cut(node, other);
  }

  [[nodiscard]] bool is_alive(std::size_t node) const { return nodes_[node].is_alive; }
  [[nodiscard]] bool is_voter(std::size_t node) const { return node < voters_; }
  [[nodiscard]] std::size_t most_inbound_seen() const { return most_inbound_; }
  [[nodiscard]] std::size_t most_inbound_of_voter_seen() const { return most_inbound_of_voter_; }

  [[nodiscard]] std::size_t voter_links(std::size_t node) const {
    return count(node, [this](std::size_t other, const Link&) { return is_voter(other); });
  }
  [[nodiscard]] std::size_t own_links(std::size_t node) const {
    return count(node, [](std::size_t, const Link& link) { return link.is_own; });
  }
  [[nodiscard]] std::set<std::pair<std::size_t, std::size_t>> all_links() const {
    std::set<std::pair<std::size_t, std::size_t>> all;
    for (std::size_t node = 0; node < nodes_.size(); ++node)
      for (const auto& [other, link] : nodes_[node].links)
        if (node < other) all.insert({node, other});
    return all;
  }
  [[nodiscard]] std::size_t reached_from(std::size_t start) const {
    std::set<std::size_t> seen{start};
    std::deque<std::size_t> open{start};
    for (; !open.empty(); open.pop_front())
      for (const auto& [other, link] : nodes_[open.front()].links)
        if (seen.insert(other).second) open.push_back(other);
    return seen.size();
  }

 private:
  struct Link {
    bool is_own = false;
    chain::Instant since;
  };
  struct Node {
    explicit Node(PeerBook made) : book(std::move(made)) {}
    PeerBook book;
    std::map<std::size_t, Link> links;
    std::uint64_t plan = 0;  // so that only the newest wish to be asked again counts
    bool is_alive = true;
  };

  static chain::NodeId id_of(std::size_t node) {
    std::string octets(16, 'n');
    octets[0] = static_cast<char>(node >> 8);
    octets[1] = static_cast<char>(node & 0xff);
    return *chain::NodeId::from(octets);
  }
  static std::size_t number_of(chain::NodeId id) {
    return (std::size_t{id.octets[0]} << 8) | id.octets[1];
  }
  template <class Holds>
  [[nodiscard]] std::size_t count(std::size_t node, Holds holds) const {
    std::size_t result = 0;
    for (const auto& [other, link] : nodes_[node].links)
      if (holds(other, link)) ++result;
    return result;
  }

  void later(std::chrono::nanoseconds delay, std::function<void()> event) {
    queue_.emplace(std::pair{now_ + delay, ++sequence_}, std::move(event));
  }

  void replan(std::size_t node) {
    if (!nodes_[node].is_alive) return;
    const PeerBook::Plan plan = nodes_[node].book.next(now_);
    for (const Peer& peer : plan.dial) {
      const std::size_t to = number_of(peer.node);
      later(std::chrono::milliseconds(rng_.between(5, 50)), [=, this] { arrive(node, to); });
    }
    for (const chain::NodeId& gone : plan.hang_up)
      later(0s, [=, this, to = number_of(gone)] { cut(node, to); });
    const std::uint64_t number = ++nodes_[node].plan;
    if (!plan.ask_again) return;
    REQUIRE(*plan.ask_again > now_);
    later(*plan.ask_again - now_, [=, this] {
      if (nodes_[node].plan == number) replan(node);
    });
  }

  void arrive(std::size_t from, std::size_t to) {
    if (!nodes_[from].is_alive) return;
    if (!nodes_[to].is_alive)
      return later(5s, [=, this] { fail(from, to, DialFailure::kUnreachable); });
    if (!nodes_[to].book.has_room_for(id_of(from))) return fail(from, to, DialFailure::kRefused);
    if (const auto old = nodes_[to].links.find(from); old != nodes_[to].links.end()) {
      const Origin origin = old->second.is_own ? Origin::kDialled : Origin::kAccepted;
      if (!replaces({id_of(to), id_of(from)}, origin, Origin::kAccepted, now_ - old->second.since,
                    5s))
        return fail(from, to, DialFailure::kRefused);
    }
    nodes_[from].links[to] = {true, now_};
    nodes_[to].links[from] = {false, now_};
    nodes_[from].book.link_up(id_of(to), Origin::kDialled, now_);
    nodes_[to].book.link_up(id_of(from), Origin::kAccepted, now_);
    const std::size_t inbound = count(to, [this](std::size_t other, const Link& link) {
      return !link.is_own && !is_voter(other);
    });
    std::size_t& most = is_voter(to) ? most_inbound_of_voter_ : most_inbound_;
    most = std::max(most, inbound);
    replan(from);
    replan(to);
  }

  void fail(std::size_t from, std::size_t to, DialFailure failure) {
    if (!nodes_[from].is_alive) return;
    nodes_[from].book.dial_failed(id_of(to), failure, now_);
    replan(from);
  }

  void cut(std::size_t a, std::size_t b) {
    if (nodes_[a].links.erase(b) == 0) return;
    nodes_[b].links.erase(a);
    for (const auto& [node, other] : {std::pair{a, b}, std::pair{b, a}}) {
      nodes_[node].book.link_down(id_of(other), now_);
      replan(node);
    }
  }

  chain::Rng rng_;
  const std::size_t voters_;
  std::vector<Node> nodes_;
  chain::Instant now_;
  std::uint64_t sequence_ = 0;
  std::map<std::pair<chain::Instant, std::uint64_t>, std::function<void()>> queue_;
  std::size_t most_inbound_ = 0;
  std::size_t most_inbound_of_voter_ = 0;
};

constexpr std::size_t kNodes = 300;
constexpr std::size_t kVoters = 7;

void check_whole(const Population& all) {
  std::size_t alive = 0;
  std::size_t alive_voters = 0;
  std::size_t one = 0;
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (!all.is_alive(i)) continue;
    one = i;
    ++alive;
    if (all.is_voter(i)) ++alive_voters;
  }
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (!all.is_alive(i)) continue;
    CAPTURE(i);
    if (all.is_voter(i)) {
      CHECK(all.voter_links(i) == alive_voters - 1);
    } else {
      CHECK(all.voter_links(i) >= limits::kVoterLinks);
      CHECK(all.own_links(i) >= limits::kOutgoingLinks);
      CHECK(all.own_links(i) <= limits::kOutgoingLinks + 1);  // while one takes another's place
    }
  }
  CHECK(all.reached_from(one) == alive);
  CHECK(all.most_inbound_seen() <= limits::kInboundLinksMax);
  CHECK(all.most_inbound_of_voter_seen() <= limits::kInboundLinksOfVoterMax);
}

}  // namespace

TEST_CASE("300 nodes form a mesh, heal when a third dies, and keep changing their links") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    Population all(kNodes, kVoters, seed);
    all.run_until({5s});
    check_whole(all);

    chain::Rng fate(seed);
    for (std::size_t dead = 0; dead < 2;) {
      const std::size_t voter = fate.below(kVoters);
      if (!all.is_alive(voter)) continue;
      all.kill(voter);
      ++dead;
    }
    for (std::size_t dead = 0; dead < kNodes * 3 / 10 - 2;) {
      const std::size_t node = kVoters + fate.below(kNodes - kVoters);
      if (!all.is_alive(node)) continue;
      all.kill(node);
      ++dead;
    }
    all.run_until({60s});
    check_whole(all);

    const auto before = all.all_links();
    all.run_until({60s + 20min});
    check_whole(all);
    std::size_t kept = 0;
    for (const auto& link : all.all_links()) kept += before.count(link);
    // Each of the 205 or so that do not vote has changed three or four of its four.
    CHECK(kept < before.size() * 3 / 4);
  }
}

TEST_CASE("three voters for 300 nodes are shared, so that each has one of them") {
  Population all(kNodes, 3, 5);
  all.run_until({60s});
  for (std::size_t i = 3; i < kNodes; ++i) {
    CAPTURE(i);
    CHECK(all.voter_links(i) >= 1);
    CHECK(all.own_links(i) >= limits::kOutgoingLinks);
  }
  CHECK(all.most_inbound_of_voter_seen() <= limits::kInboundLinksOfVoterMax);
}

TEST_CASE("voters whom too many want are full at their limit, and the mesh holds without them") {
  Population all(kNodes, 2, 6);
  all.run_until({60s});
  CHECK(all.most_inbound_of_voter_seen() == limits::kInboundLinksOfVoterMax);
  CHECK(all.most_inbound_seen() <= limits::kInboundLinksMax);
  CHECK(all.reached_from(0) == kNodes);
  for (std::size_t i = 2; i < kNodes; ++i) CHECK(all.own_links(i) >= limits::kOutgoingLinks);
}
