#include "tests/sim/cluster.h"

#include <algorithm>
#include <utility>

#include "node/members.h"
#include "tests/sim/checkers/verifier.h"
#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

constexpr std::chrono::milliseconds kLookEvery{10};

chain::Genesis make_genesis(const ClusterOptions& options) {
  chain::Rng rng = chain::Rng(options.seed).fork("genesis");
  chain::Genesis genesis;
  genesis.name = "sim";
  genesis.trust_domain = "sim.test";
  genesis.created = {1'700'000'000'000};
  genesis.share_count = options.share_count;
  genesis.interval_ms = options.interval_ms;
  genesis.heartbeat_ms = options.heartbeat_ms;
  genesis.block_events_max = options.block_events_max;
  genesis.event_bytes_max = options.event_bytes_max;
  genesis.block_bytes_max = options.block_bytes_max;
  genesis.first_target = chain::compact(chain::target_for(chain::U256(options.hashes_per_share)));
  genesis.easiest_target =
      chain::compact(chain::target_for(chain::U256(options.hashes_per_share_min)));
  for (std::size_t i = 0; i < options.nodes; ++i) {
    genesis.voters.push_back({draw_octets<chain::NodeId>(rng), draw_octets<chain::PublicKey>(rng),
                              chain::Slot{static_cast<std::uint16_t>(i)}, fmt::format("n{}", i),
                              site_of(i, options.sites), draw_octets<chain::StoreId>(rng)});
  }
  const auto checked = chain::check_genesis(genesis);
  EC_ASSERT(checked.has_value(), "the simulation's genesis obeys the rules");
  return genesis;
}

std::vector<consensus::ServerId> servers_of(const Roster& roster) {
  std::vector<consensus::ServerId> servers;
  for (std::size_t host = 0; host < roster.size(); ++host)
    servers.push_back(node::server_of(roster.node(host)));
  return servers;
}

bool has_small_pools(const chain::PoolLimits& limits) {
  const chain::PoolLimits usual;
  return limits.events_max < usual.events_max || limits.bytes_max < usual.bytes_max;
}

Network::Options network_options(const ClusterOptions& options) {
  Network::Options network = options.network;
  network.dials = !options.is_sparse;
  return network;
}

}  // namespace

std::uint64_t hash_rate(const ClusterOptions& options) {
  const std::uint64_t of_all =
      options.hashes_per_share * options.share_count * 1000 / options.interval_ms;
  return std::max<std::uint64_t>(1, of_all / options.nodes);
}

Cluster::Cluster(const ClusterOptions& options, bool prints)
    : options_(options),
      genesis_(make_genesis(options)),
      roster_(genesis_, options.joiners + (options.has_liar ? 1 : 0),
              chain::Rng(options.seed).fork("joiners"), options.sites),
      trace_(scheduler_, prints),
      rng_(chain::Rng(options.seed).fork("cluster")),
      salts_(chain::Rng(options.seed).fork("salts")),
      programs_(chain::Rng(options.seed).fork("programs")),
      chain_(genesis_, registry_, roster_.size()),
      membership_(genesis_, roster_.size()),
      work_(roster_, membership_),
      light_(roster_, chain_, membership_),
      promises_(chain_, registry_, has_small_pools(options.core.pool)),
      raft_(servers_of(roster_)),
      recovery_(roster_.size()),
      network_(roster_.size(), network_options(options), scheduler_, trace_, *this,
               rng_.fork("network")),
      intakes_(roster_.size()),
      is_gone_(roster_.size(), false),
      is_outdated_(roster_.size(), false) {
  if (options.is_sparse) {
    auto mesh = std::make_unique<SparseMesh>(roster_, network_, scheduler_, membership_.newest(),
                                             rng_.fork("mesh"));
    mesh_ = mesh.get();
    links_ = std::move(mesh);
  } else {
    links_ = std::make_unique<Links>(roster_, network_, membership_.newest());
  }
  HostWatcher& watcher = *this;
  for (std::size_t i = 0; i < roster_.size(); ++i) {
    const chain::Member& member = roster_[i].member;
    NodeHost::Options host;
    host.index = i;
    host.core = options.core;
    host.core.self = member.node;
    if (options.newest_program > 1)
      host.core.feature_level =
          static_cast<std::uint16_t>(programs_.between(1, options.newest_program));
    host.core.genesis = genesis_;
    signing_.push_back(std::make_unique<Signing>(member.signing_key));
    host.core.signing = signing_.back().get();
    host.disk = options.disk;
    host.drift_permille_max = options.drift_permille_max;
    host.skew_ms_max = options.skew_ms_max;
    const chain::Rng rng = rng_.fork(member.name);
    hosts_.push_back(std::make_unique<NodeHost>(host, scheduler_, trace_, watcher, rng));
    miners_.push_back(std::make_unique<Miner>(
        i, hash_rate(options), scheduler_,
        [this, i](const mining::ShareFound& share) { found_share(i, share); }, rng.fork("miner"),
        options.records_nonces ? &nonces_ : nullptr));
  }
}

Cluster::~Cluster() = default;

void Cluster::run_for(Span span) {
  scheduler_.run_until(scheduler_.now() + span);
}

bool Cluster::run_until(const std::function<bool()>& is_true, Span limit) {
  const Time end = scheduler_.now() + limit;
  while (!is_true()) {
    if (scheduler_.now() >= end) return false;
    run_for(kLookEvery);
  }
  return true;
}

void Cluster::waited(Span span, Span limit) {
  waited_permille_ =
      std::max(waited_permille_, static_cast<std::uint64_t>(1000 * span.count() / limit.count()));
}

void Cluster::start(std::size_t node) {
  if (host(node).is_alive() || is_gone(node)) return;
  if (host(node).run() == 0 && is_invited_as_light(node)) {
    host(node).become_light();
    light_.set_up(node);
  }
  maybe_upgrade(node);
  is_outdated_[node] = false;
  host(node).boot();
  network_.node_up(node);
  links_->node_up(node);
}

void Cluster::revive(std::size_t node) {
  if (is_member(node) || host(node).run() > 0) start(node);
}

void Cluster::start_genesis() {
  for (std::size_t i = 0; i < options_.nodes; ++i) start(i);
  knock();
}

void Cluster::split(const std::vector<std::vector<std::size_t>>& groups) {
  std::vector<std::size_t> group_of(size(), groups.size());
  for (std::size_t group = 0; group < groups.size(); ++group)
    for (const std::size_t node : groups[group]) group_of[node] = group;
  for (std::size_t a = 0; a < size(); ++a) {
    for (std::size_t b = 0; b < size(); ++b)
      if (group_of[a] != group_of[b]) network_.cut(a, b);
  }
}

void Cluster::heal(const std::vector<std::size_t>& nodes) {
  network_.calm();
  for (const std::size_t node : nodes) {
    host(node).disk().heal();
    host(node).spare();
    host(node).resume();
    host(node).slow_clock(1);
    links_->is_told(node, *membership_.newest());
    start(node);
    fill_disk(node, false);
    drain(node, false);
    if (miner(node).rate() != hash_rate(options_)) miner(node).set_rate(hash_rate(options_));
    for (const std::size_t other : nodes)
      if (other != node) network_.mend(other, node);
  }
}

void Cluster::heal_members() {
  heal(members());
  // Also for those whom a late order lets in only now.
  network_.mend_all();
}

std::optional<std::size_t> Cluster::leader() const {
  std::optional<std::size_t> leader;
  for (const auto& host : hosts_) {
    if (!host->is_alive() || host->is_light() || !host->core().replica().is_ready()) continue;
    if (!leader || host->core().replica().term() > hosts_[*leader]->core().replica().term())
      leader = host->index();
  }
  return leader;
}

std::size_t Cluster::pending_most() const {
  std::size_t most = 0;
  for (const auto& host : hosts_)
    if (host->is_alive() && !host->is_light()) most = std::max(most, host->core().pool().size());
  return most;
}

bool Cluster::is_settled(const std::vector<std::size_t>& nodes) const {
  if (promises_.open() > 0) return false;
  return std::all_of(nodes.begin(), nodes.end(), [this](std::size_t node) {
    const NodeHost& host = *hosts_[node];
    return host.is_alive() && (host.is_light() || host.core().pool().size() == 0) &&
           host.headers().height() == chain_.height() &&
           host.machine().certified() == chain_.height();
  });
}

std::string Cluster::describe() const {
  std::string text =
      fmt::format("height {}, {} promises open", chain_.height().value, promises_.open());
  for (const auto& host : hosts_) {
    if (!host->is_alive()) {
      text += fmt::format("; n{} {}", host->index(), is_gone(host->index()) ? "gone" : "down");
      continue;
    }
    if (host->is_light()) {
      text +=
          fmt::format("; n{} is light height {}", host->index(), host->headers().height().value);
      continue;
    }
    const auto& replica = host->core().replica();
    text += fmt::format("; n{} {}{} term {} height {} final {} pool {} log {}/{}/{}", host->index(),
                        replica.role() == consensus::Role::kLeader ? "leads" : "follows",
                        replica.is_ready() ? "" : "*", replica.term().value,
                        host->core().chain_state().height().value, host->core().certified().value,
                        host->core().pool().size(), replica.applied_index().value,
                        replica.commit_index().value, replica.last_index().value);
  }
  return text;
}

std::vector<std::size_t> Cluster::everybody() const {
  std::vector<std::size_t> nodes;
  for (std::size_t i = 0; i < size(); ++i) nodes.push_back(i);
  return nodes;
}

std::uint64_t Cluster::commits() const {
  std::uint64_t commits = 0;
  for (const auto& host : hosts_) commits += host->commits();
  return commits;
}

void Cluster::verify() {
  for (const auto& host : hosts_) {
    if (host->is_light()) {
      const store::MemoryLightStore& store = host->light_store();
      if (verify_headers(genesis_, store) != chain_.id_at(store.durable_height()))
        throw Violation("I8", fmt::format("n{} ends at another header", host->index()));
      continue;
    }
    // A turn may be open or on its way to the disk, and nobody has been told of its block.
    const chain::Height height =
        host->is_alive() ? host->store().durable_height() : chain::Height{0};
    if (verify_chain(genesis_, host->store().chain(), height) != chain_.id_at(height))
      throw Violation("I8", fmt::format("n{} ends at another block", host->index()));
  }
}

}  // namespace eventchain::sim
