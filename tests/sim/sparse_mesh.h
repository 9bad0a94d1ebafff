#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "net/peer_book.h"
#include "tests/sim/links.h"

namespace eventchain::sim {

// Links as the mesh of real nodes makes them: each running node has a peer book, which gets the
// members that the node knows, and what it wants dialled is dialled in virtual time. A dial to a
// host that is down, or behind a cut, ends after the time that a handshake may take, and the book
// decides when to try again.
//
// A node that is no member by what it knows itself goes by seeds: the voters of genesis and whom
// an operator has named. The network must not dial by itself.
class SparseMesh : public Linking {
 public:
  SparseMesh(const Roster& roster, Network& network, Scheduler& scheduler,
             const chain::MembersRef& first, chain::Rng rng);

  void knows(std::size_t host, const chain::MembersRef& applied, chain::Height as_of,
             const std::vector<chain::NodeId>& leaving) override;
  void is_told(std::size_t host, const chain::MemberSet& seeds) override;
  [[nodiscard]] std::vector<Refusing> refusing(std::size_t host) const override;
  void node_up(std::size_t host) override;
  void node_down(std::size_t host) override;
  void link_up(std::size_t at, std::size_t peer) override;
  void link_down(std::size_t at, std::size_t peer) override;

  // Those that a host is linked with, and whether it dialled them itself.
  [[nodiscard]] const std::map<std::size_t, bool>& links_of(std::size_t host) const {
    return nodes_[host].links;
  }
  // Dials that found nobody, and dials that were turned away.
  [[nodiscard]] std::uint64_t unreachable() const { return unreachable_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  struct Node {
    chain::MembersRef applied;
    chain::Height as_of;  // when it was told
    std::vector<chain::NodeId> leaving;
    std::set<chain::NodeId> seeds;
    std::optional<net::PeerBook> book;  // while it runs
    std::set<chain::NodeId> allowed;    // by its table
    std::map<std::size_t, bool> links;
    std::uint64_t life = 0;
    std::uint64_t plan = 0;  // only the newest plan's wish to be asked again counts
  };

  [[nodiscard]] net::PeerTable table_of(std::size_t host) const;
  void take_table(std::size_t host);
  void replan(std::size_t host);
  void arrive(std::size_t from, std::size_t to);
  void fail(std::size_t from, std::size_t to, net::DialFailure failure);
  [[nodiscard]] bool is_reachable(std::size_t from, std::size_t to) const;

  const Roster& roster_;
  Network& network_;
  Scheduler& scheduler_;
  chain::Rng rng_;
  std::vector<Node> nodes_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t>
      dialler_;  // of each link, low end first
  std::uint64_t unreachable_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace eventchain::sim
