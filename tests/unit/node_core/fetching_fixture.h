#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

#include "node/fetcher.h"
#include "tests/unit/node_core/node_core_fixture.h"

namespace eventchain::node::testing {

inline std::vector<chain::EntryRef> refs(std::size_t count, std::uint8_t from = 0) {
  std::vector<chain::EntryRef> result;
  for (std::size_t i = 0; i < count; ++i) {
    chain::EntryRef entry;
    entry.commitment.octets[0] = from;
    for (std::size_t octet = 0; octet < 4; ++octet)
      entry.commitment.octets[1 + octet] = static_cast<std::uint8_t>(i >> (8 * octet));
    result.push_back(entry);
  }
  return result;
}

// A fetcher of the first of three voters, with both others linked.
struct Fetching {
  Fetching() {
    members.link_up(voter_id(1));
    members.link_up(voter_id(2));
  }
  // How many events were asked for since it was asked last, by peer.
  std::map<chain::NodeId, std::size_t> asked() {
    std::map<chain::NodeId, std::size_t> result;
    for (const auto& effect : outbox.take().when_durable) {
      const auto& send = std::get<Send>(effect);
      result[send.to.at(0)] += std::get<net::EventsRequest>(send.message).entries.size();
    }
    return result;
  }
  void pass(std::chrono::milliseconds span) {
    const auto end = now.steady + span;
    while (fetcher.next_deadline() && *fetcher.next_deadline() <= end) {
      now.steady = std::max(now.steady, *fetcher.next_deadline());
      fetcher.retry(now, [](const chain::EntryRef&) { return false; });
    }
    now.steady = end;
  }

  chain::Now now{chain::Instant{std::chrono::seconds(5)}, {1'750'000'000'000}};
  Members members{members_of(easy_genesis(3)), voter_id(0)};
  Outbox outbox;
  LoneLedger ledger{3};
  Gossip gossip{members, outbox, ledger.ledger, chain::Rng(2)};
  Fetcher fetcher{members, outbox, gossip, chain::Rng(1)};
};

}  // namespace eventchain::node::testing
