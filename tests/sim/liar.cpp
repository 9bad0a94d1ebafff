#include "tests/sim/liar.h"

#include <algorithm>
#include <utility>

#include "tests/sim/draws.h"
#include "tests/sim/orders.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAsksEvery{400};
constexpr std::chrono::seconds kOrderTimeout{3};

bool has_bodies(const net::Message& message) {
  return std::holds_alternative<net::Events>(message) ||
         std::holds_alternative<net::EventsSubmit>(message);
}

// An order is as good as the operator's word for it.
bool is_order(const net::Message& message) {
  return std::holds_alternative<net::OrderAsk>(message);
}

}  // namespace

Liar::Liar(Cluster& cluster, Options options, chain::Rng rng)
    : cluster_(cluster),
      options_(std::move(options)),
      host_(*cluster.liar()),
      rng_(rng),
      lies_made_(cluster.host(host_), cluster.roster(), rng.fork("lies")) {
  cluster_.speak_through(this);
}

Liar::~Liar() {
  cluster_.speak_through(nullptr);
}

void Liar::start() {
  seek_admission();
  if (!options_.kinds.empty()) wait();
}

void Liar::seek_admission() {
  if (cluster_.is_member(host_)) return;
  cluster_.scheduler().after(draw_exponential(rng_, kAsksEvery), [this] {
    const Machine& machine = cluster_.roster()[host_];
    const chain::MemberSet& now = *cluster_.membership().newest();
    bool is_invited = false;
    for (const chain::Invitation& one : now.invitations)
      is_invited = is_invited || one.token_hash == chain::token_hash(machine.token);
    const OrderKind kind = is_invited ? OrderKind::kAdmit : OrderKind::kInviteObserver;
    cluster_.order(rng_.below(cluster_.honest()), make_order(kind, machine, now), kOrderTimeout,
                   [this](const auto&) { seek_admission(); });
  });
}

void Liar::wait() {
  cluster_.scheduler().after(draw_exponential(rng_, options_.pause_between), [this] {
    if (cluster_.host(host_).is_alive()) lie();
    wait();
  });
}

void Liar::lie() {
  const auto kind = options_.kinds[rng_.below(options_.kinds.size())];
  const bool is_for_all = rng_.chance(1, 3);
  const std::size_t one = rng_.below(cluster_.honest());
  if (const auto leader = cluster_.leader()) {
    const auto& replica = cluster_.host(*leader).core().replica();
    lies_made_.guess({replica.term(), replica.last_index()});
  }
  const auto message = lies_made_.make(kind, one);
  if (!message || is_order(*message)) return;
  for (std::size_t peer = 0; peer < cluster_.honest(); ++peer)
    if (is_for_all || peer == one) utter(peer, *message);
}

bool Liar::knows(Lies::Kind kind) const {
  return std::ranges::count(options_.kinds, kind) > 0;
}

void Liar::hears(std::size_t peer, const net::Message& message) {
  lies_made_.remember(message);
  // Who asks for what it told of gets that; its node has nothing of the kind.
  if (!knows(Lies::Kind::kSeals) || rng_.chance(1, 2)) return;
  if (const auto answer = lies_made_.make_asked(message)) utter(peer, *answer);
}

void Liar::says(std::size_t peer, const net::Message& message) {
  lies_made_.remember(message);
  const auto percent = static_cast<std::uint32_t>(rng_.below(100));
  if (percent < options_.withholds_percent) return;
  const bool twists = percent - options_.withholds_percent < options_.twists_percent;
  utter(peer, twists && !is_order(message) ? lies_made_.twist(message) : message);
}

void Liar::utter(std::size_t peer, const net::Message& message) {
  if (!submits_ && has_bodies(message)) return;
  ++lies_;
  cluster_.utter(peer, message);
}

}  // namespace eventchain::sim
