// The host that others must stand, and what the checkers are told of it.

#include <utility>

#include "net/codec.h"
#include "tests/sim/cluster.h"

namespace eventchain::sim {

std::optional<std::size_t> Cluster::liar() const {
  return options_.has_liar ? std::optional(size() - 1) : std::nullopt;
}

std::vector<std::size_t> Cluster::honest_members() const {
  std::vector<std::size_t> found = members();
  if (const auto liar = this->liar()) std::erase(found, *liar);
  return found;
}

void Cluster::utter(std::size_t peer, const net::Message& message) {
  const std::size_t from = *liar();
  if (!network_.is_up(from, peer)) return;
  // A node closes the link on what its codec refuses.
  auto said = net::decode(net::encode(message));
  if (!said) return network_.break_link(from, peer);
  const auto remember = [this](const std::vector<net::RawEvent>& events) {
    for (const net::RawEvent& event : events)
      if (chain::derive_facts(event.salt, event.body, chain::EventLimits{}))
        registry_.submit(event.salt, event.body);
  };
  if (const auto* events = std::get_if<net::Events>(&*said)) remember(events->events);
  if (const auto* events = std::get_if<net::EventsSubmit>(&*said)) remember(events->events);
  if (const auto* share = std::get_if<net::SharePush>(&*said))
    work_.pushed(share->template_hash, share->nonce);
  trace_.print("n{} says to n{} {}", from, peer, net::name_of(*said));
  network_.send(from, peer, std::make_shared<const net::Message>(std::move(*said)));
}

// Nobody is accused of what the liar did.
bool Cluster::may_be_accused(const std::string& accusation) const {
  const auto liar = this->liar();
  if (!liar) return false;
  const std::string name = fmt::format(" peer={} ", roster_[*liar].member.name);
  // Who is behind may not know yet what it is called.
  return accusation.find(name) != std::string::npos ||
         accusation.find(" peer=? ") != std::string::npos;
}

}  // namespace eventchain::sim
