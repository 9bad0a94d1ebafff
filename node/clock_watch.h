#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "chain/types.h"
#include "net/messages.h"

namespace eventchain::node {

// How far this node's wall clock and the leader's are apart. Nothing is decided by wall clocks, and
// nothing is refused here: a wrong clock is a wrong date on events and blocks for ever, so people
// must hear of it.
//
// What a clock showed is worth nothing without a bound on how old that is: between the moment when
// a peer wrote it down and the moment when this node reads it lie the peer's disk, the link, and
// this node's own queue, which on a busy host are seconds. So it is measured over a round trip, as
// NTP does (RFC 5905, section 8): each says a mark of its monotonic clock, the other says it back
// with the next word, and for how long it had it. The peer's clock was read within the rest of
// that time, the delay, and so the difference is known up to the delay. Of the newest kSamples the
// one with the least delay counts (the clock filter of section 10). What fits no difference is not
// told: `ahead` is the least one that the sample allows.
//
// A sample that contradicts the one that counted means that a clock was set, and is a new
// beginning. This node's own clock is not part of what is kept, so it may be set at any time.
//
// Owned by the node's core. Pure. Memory: kSamples for each linked peer.
class ClockWatch {
 public:
  static constexpr std::chrono::milliseconds kApartMax{2000};
  static constexpr std::chrono::seconds kToldEvery{60};
  static constexpr std::size_t kSamples = 8;
  // Marks are said back while they are younger, and older ones tell nothing.
  static constexpr std::chrono::seconds kEchoFor{60};

  // What is said to this peer now.
  [[nodiscard]] net::ClockSaid say(const chain::NodeId& peer, const chain::Now& now) const;
  // What a peer has said, whoever it is.
  void heard(const chain::NodeId& peer, const net::ClockSaid& said, const chain::Now& now);
  void peer_down(const chain::NodeId& peer) { peers_.erase(peer); }

  // The peer's clock less this one's; nothing while that cannot be told.
  [[nodiscard]] std::optional<std::chrono::milliseconds> ahead(const chain::NodeId& peer,
                                                               const chain::Now& now) const;
  // The alarm, if people are to hear of the leader's clock now.
  std::optional<std::string> alarm(const chain::NodeId& leader, const chain::Now& now);

 private:
  // The peer's wall clock less this node's monotonic one is from `least` to `least` + `delay`.
  struct Sample {
    std::chrono::milliseconds least;
    std::chrono::milliseconds delay;
  };
  struct Peer {
    std::chrono::milliseconds mark;  // the peer's last
    chain::Instant marked_at;        // when it came
    std::deque<Sample> samples;      // in order of arrival
  };

  // The one that counts. Pre: there is one.
  static const Sample& best(const std::deque<Sample>& samples);

  std::map<chain::NodeId, Peer> peers_;
  std::optional<chain::Instant> told_at_;
};

}  // namespace eventchain::node
