#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

#include "chain/block.h"
#include "chain/types.h"

namespace eventchain::node {

// What the requests and announcements of one peer may cost in one turn. A request of some hundred
// octets is answered with megabytes, which are read from disk, hashed, and kept in memory until the
// turn is committed and a link takes them; and what is named and not held is looked for in vain on
// disk, at the price of some octets each. What exceeds a bound is dropped like what a link loses:
// who asked asks again (fetcher.h, gossip.h, light_core.h), who announced announces again
// (core_relay.cpp), and finds the next turn with bounds of its own.
//
// Nobody who needs what he asks for comes near: a node that is behind has one request for blocks
// open, and its requests for the bodies of the largest block fit one turn, but for those that its
// link's send queue could not take either, or that are not held here.
class Serving {
 public:
  // With one answer that begins below it (at most 4 MiB), less than a send queue takes.
  static constexpr std::size_t kBytesMax = std::size_t{24} * 1024 * 1024;
  static constexpr std::size_t kLookupsMax =
      chain::kBlockEventsLimit;  // bodies, blocks; held or not
  // Of the lookups, those that found nothing: as many as one announcement or one request names.
  static constexpr std::size_t kMissesMax = 8192;
  static constexpr std::size_t kRequestsMax = 32;
  // Gossip tells of 256 events in one, so of more events than a turn makes durable; what they cost
  // are lookups.
  static constexpr std::size_t kAnnouncementsMax = 256;

  // Of this turn. Nothing of one of them: nothing is served any more.
  struct Left {
    std::size_t requests = kRequestsMax;
    std::size_t announcements = kAnnouncementsMax;
    std::size_t lookups = kLookupsMax;
    std::size_t misses = kMissesMax;
    std::size_t bytes = kBytesMax;

    void read(std::size_t octets);
    void looked_up(std::size_t count);
    void missed() { misses -= std::min<std::size_t>(misses, 1); }  // of what was looked up
    [[nodiscard]] bool may_look_up() const { return lookups > 0 && misses > 0; }
  };

  // For each request, before it is looked into. nullptr: it is to be dropped, and is counted. Valid
  // until the turn ends; what the answer costs is to be taken off.
  Left* begin(const chain::NodeId& peer);
  // The same of a request for bodies, and of an announcement: not for who has looked for enough in
  // vain.
  Left* begin_search(const chain::NodeId& peer);
  Left* begin_announcement(const chain::NodeId& peer);
  void turn_ended() { peers_.clear(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  Left* take(Left& left, std::size_t& count, bool may);

  std::map<chain::NodeId, Left> peers_;
  std::uint64_t dropped_ = 0;
};

}  // namespace eventchain::node
