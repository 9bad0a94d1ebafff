#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain/rng.h"
#include "chain/types.h"
#include "net/limits.h"
#include "net/link_rules.h"

namespace eventchain::net {

// A node of the cluster as the others see it.
struct Peer {
  chain::NodeId node;
  std::string host;  // name or numeric address; empty: it dials us
  std::uint16_t port = 0;
  bool is_voter = false;
  std::string site;  // where it stands, so that links reach several sites; may be empty
  // New links are made in this time only, by the clock on the wall.
  chain::UnixMillis valid_from{};
  chain::UnixMillis valid_until{};  // 0: no end
  bool operator==(const Peer&) const = default;
};

// The nodes of the cluster; this node's own entry is ignored.
struct PeerTable {
  std::vector<Peer> peers;
  bool self_is_voter = false;
  chain::Height as_of{};  // the block that the members are known by; 0: not known
  bool operator==(const PeerTable&) const = default;
};

// How many links, and how often to try: net/limits.h has the reasons.
struct PeerRules {
  std::size_t outgoing = limits::kOutgoingLinks;
  std::size_t voters = limits::kVoterLinks;
  std::size_t inbound_max = limits::kInboundLinksMax;
  std::size_t inbound_max_of_voter = limits::kInboundLinksOfVoterMax;
  std::chrono::nanoseconds rotate_every = limits::kRotateLinksEvery;
  std::chrono::nanoseconds dial_first = limits::kDialDelayFirst;
  std::chrono::nanoseconds dial_max_voter = limits::kDialDelayOfVoterMax;
  std::chrono::nanoseconds dial_max = limits::kDialDelayMax;
  // Links that one peer may open, at a time and on average. Each costs a round of words on both
  // sides and may bring a whole template. A correct peer opens some at first, while its waits are
  // short, then fewer than one in a second.
  unsigned opened_at_once = 16;
  std::chrono::nanoseconds opened_every = std::chrono::seconds(1);
};

enum class DialFailure {
  kUnreachable,
  kRefused,  // somebody answered, and no link came of it
};

// Whom to be linked with, so that a cluster of any size hangs together with few links a node:
// - a voter keeps a link to every other voter;
// - every other node dials until it has `outgoing` links of its own dialling, `voters` of them to
//   voters, the rest to nodes at random that do not vote, from the sites it has fewest links to.
//   With no more candidates than that, everybody is linked to everybody;
// - a link is a link, whoever dialled it: no peer is dialled that is linked already;
// - now and then a new random link takes an old one's place, so that cliques do not last.
//
// Owned by the shell that dials, which tells it what became of each dial and link, and asks next()
// after every change and at the time that next() named. No clocks, no I/O, one caller at a time.
// Memory follows the table and the links.
class PeerBook {
 public:
  PeerBook(chain::NodeId self, const PeerRules& rules, const chain::Rng& rng);

  struct Plan {
    std::vector<Peer> dial;              // counted as being dialled from now on
    std::vector<chain::NodeId> hang_up;  // links that others have taken the place of
    std::optional<chain::Instant> ask_again;
  };
  Plan next(chain::Instant now);

  // Links to nodes that are not in the table any more stay until link_down.
  void set_table(const PeerTable& table);
  // Whether a connection that this peer has dialled may become a link.
  [[nodiscard]] bool has_room_for(chain::NodeId node) const;
  // Whether it opens links too often, one after the other, so that another is to be refused.
  [[nodiscard]] bool opens_too_often(chain::NodeId node, chain::Instant now) const;

  // The end of a dial that next() asked for: exactly one of dial_failed and link_up(kDialled).
  // Tells how many have failed in a row.
  int dial_failed(chain::NodeId node, DialFailure failure, chain::Instant now);
  // Takes the place of an older link to the same peer.
  void link_up(chain::NodeId node, Origin origin, chain::Instant now);
  void link_down(chain::NodeId node, chain::Instant now);

 private:
  struct Link {
    Origin origin;
    chain::Instant since;
    bool is_leaving = false;  // to be hung up by our own wish
  };
  struct Known {
    std::optional<Peer> peer;  // unless it is not, or no longer, in the table
    std::optional<Link> link;
    bool is_dialling = false;
    int failures = 0;  // in a row
    chain::Instant retry_at;
    // As many times `opened_every` ahead of now as links that it opened are still counted.
    chain::Instant opened_until;

    [[nodiscard]] bool is_voter() const { return peer && peer->is_voter; }
    [[nodiscard]] bool is_linked() const { return link && !link->is_leaving; }
    [[nodiscard]] bool is_own_link() const {
      return is_linked() && link->origin == Origin::kDialled;
    }
    [[nodiscard]] bool is_free() const {
      return peer && !peer->host.empty() && !link && !is_dialling;
    }
  };
  using Entries = std::map<chain::NodeId, Known>;

  void plan_voter(chain::Instant now, Plan& plan);
  void plan_others(chain::Instant now, Plan& plan);
  [[nodiscard]] std::size_t voters_for_each() const;
  void begin_rotation(chain::Instant now);
  void drop_surplus(Plan& plan);
  // Free ones whose wait is over; how long the others have to wait goes into plan.ask_again.
  std::vector<Known*> dialable(bool voters, chain::Instant now, Plan& plan);
  Known* pick(const std::vector<Known*>& from);
  Known* pick_by_site(std::vector<Known*> from);
  static void dial(Known& known, Plan& plan);
  void back_off(Known& known, std::chrono::nanoseconds delay_max, chain::Instant now);
  [[nodiscard]] std::chrono::nanoseconds jittered(std::chrono::nanoseconds delay);
  void forget_if_idle(Entries::iterator entry);

  template <class Holds>
  [[nodiscard]] std::size_t count(Holds holds) const {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(),
                      [&holds](const auto& entry) { return holds(entry.second); }));
  }

  const chain::NodeId self_;
  const PeerRules rules_;
  chain::Rng rng_;
  Entries entries_;
  bool self_is_voter_ = false;
  // Dialling one more than `outgoing`; when it is up, an older one goes.
  bool is_rotating_ = false;
  std::optional<chain::Instant> rotate_at_;
};

}  // namespace eventchain::net
