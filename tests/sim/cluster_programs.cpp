// Which version of the program each host has, and what follows from that.

#include <algorithm>

#include "chain/features.h"
#include "tests/sim/cluster.h"
#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

// Until somebody has read why a node stopped, and has installed the newer version.
constexpr std::chrono::milliseconds kUpgradeMax{5000};

}  // namespace

std::uint16_t Cluster::program(std::size_t node) const {
  return hosts_[node]->core_options().feature_level;
}

void Cluster::install(std::size_t node, std::uint16_t level) {
  const bool runs = host(node).is_alive();
  trace_.print("n{} gets a program of level {}", node, level);
  kill(node);
  host(node).install(level);
  is_outdated_[node] = false;
  if (runs) start(node);
}

void Cluster::upgrade_all() {
  for (std::size_t node = 0; node < size(); ++node)
    if (program(node) < options_.newest_program) install(node, options_.newest_program);
}

// A host that is down may be upgraded before it comes back.
void Cluster::maybe_upgrade(std::size_t node) {
  const std::uint16_t level = program(node);
  if (level >= options_.newest_program || host(node).run() == 0) return;
  if (programs_.chance(1, 2))
    host(node).install(
        static_cast<std::uint16_t>(programs_.between(level + 1, options_.newest_program)));
}

// The level rises only when the programs of all who vote can follow.
void Cluster::check_rise(const chain::Block& block) const {
  const chain::Height height = block.sealed.header.height;
  const chain::MembersRef& after = membership_.at(height.next());
  if (membership_.at(height)->feature_level == after->feature_level) return;
  for (const auto& set : {membership_.at(height), after})
    for (const std::size_t voter : roster_.voters(*set))
      if (!chain::can_follow(*after, program(voter)))
        throw Violation("levels",
                        fmt::format("block {} raises the level to {}, and n{} votes with "
                                    "a program of level {}",
                                    height.value, after->feature_level, voter, program(voter)));
}

// Nobody reads what its program does not understand: a block of a higher level.
void Cluster::check_program(const NodeHost& host) const {
  const chain::Height tip = host.headers().height();
  if (!chain::can_follow(*membership_.at(tip), program(host.index())))
    throw Violation("levels",
                    fmt::format("n{} has applied block {} of level {} with a program of "
                                "level {}",
                                host.index(), tip.value, membership_.at(tip)->feature_level,
                                program(host.index())));
}

void Cluster::do_effect(NodeHost& host, node::Outdated& outdated) {
  const std::size_t node = host.index();
  trace_.print("n{} says: {}", node, outdated.reason);
  if (chain::can_follow(*host.headers().members, program(node)))
    throw Violation("levels", fmt::format("n{} ends, and its program is new enough", node));
  is_outdated_[node] = true;
  host.kill();
  // In a story somebody says when.
  if (options_.newest_program == 1) return;
  const auto delay = draw_span(programs_, Span(0), kUpgradeMax);
  scheduler_.after(delay, [this, node] {
    if (!is_outdated_[node]) return;
    install(node, options_.newest_program);
    revive(node);
  });
}

}  // namespace eventchain::sim
