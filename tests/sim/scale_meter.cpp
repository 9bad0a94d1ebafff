#include "tests/sim/scale_meter.h"

#include <algorithm>

#include "net/codec.h"

namespace eventchain::sim {

namespace {

constexpr std::size_t kFrameHead = 4;

std::size_t bodies_in(const net::Message& message) {
  if (const auto* events = std::get_if<net::Events>(&message)) return events->events.size();
  if (const auto* events = std::get_if<net::EventsSubmit>(&message)) return events->events.size();
  return 0;
}

}  // namespace

void ScaleMeter::sent(std::size_t from, const net::Message& message, std::size_t links) {
  Traffic& traffic = traffic_[from];
  const std::uint64_t octets = links * (kFrameHead + net::encode(message).size());
  const std::size_t bodies = bodies_in(message);
  traffic.octets_sent += octets;
  traffic.bodies_sent += links * bodies;
  if (bodies > 0) traffic.octets_with_bodies += octets;
}

void ScaleMeter::received(std::size_t at, const net::Message& message) {
  traffic_[at].bodies_received += bodies_in(message);
}

void ScaleMeter::reached(std::size_t node, chain::Height height) {
  while (reached_.size() <= height.value) reached_.emplace_back(traffic_.size(), kNever);
  // Who applies several blocks in one turn tells of the last.
  for (std::uint64_t one = height.value; one > 0 && reached_[one][node] == kNever; --one)
    reached_[one][node] = scheduler_.now();
}

void ScaleMeter::found_share(std::size_t, const mining::WorkOrder& order) {
  work_ += chain::expected_hashes(order.target).to_double();
  ++shares_;
}

std::optional<Time> ScaleMeter::reached_at(std::size_t node, chain::Height height) const {
  if (height.value >= reached_.size()) return std::nullopt;
  const Time at = reached_[height.value][node];
  return at == kNever ? std::nullopt : std::optional(at);
}

std::optional<Time> ScaleMeter::first_reached(chain::Height height) const {
  if (height.value >= reached_.size()) return std::nullopt;
  const Time at = *std::ranges::min_element(reached_[height.value]);
  return at == kNever ? std::nullopt : std::optional(at);
}

}  // namespace eventchain::sim
