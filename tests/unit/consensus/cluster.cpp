#include "cluster.h"

#include <algorithm>

#include "chain/result.h"

namespace eventchain::consensus::testing {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) hash = (hash ^ ((value >> (8 * i)) & 0xff)) * 0x100000001b3ULL;
  return hash;
}

std::uint64_t mix(std::uint64_t hash, const Entry& entry) {
  hash = mix(mix(hash, entry.term.value), static_cast<std::uint64_t>(entry.kind));
  for (char c : entry.payload) hash = mix(hash, static_cast<std::uint8_t>(c));
  return hash;
}

std::uint64_t mix(std::uint64_t h, const RaftMessage& message) {
  h = mix(h, message.index());
  if (const auto* a = std::get_if<RequestVote>(&message)) {
    h = mix(mix(mix(h, a->term.value), a->last_log_index.value), a->pre_vote);
  } else if (const auto* b = std::get_if<RequestVoteResult>(&message)) {
    h = mix(mix(h, b->term.value), b->granted);
  } else if (const auto* c = std::get_if<AppendEntries>(&message)) {
    h = mix(mix(mix(h, c->term.value), c->prev_index.value), c->leader_commit.value);
    for (const auto& entry : c->entries) h = mix(h, entry);
  } else if (const auto* d = std::get_if<AppendEntriesResult>(&message)) {
    h = mix(mix(mix(h, d->term.value), d->rejected.value), d->last_log_index.value);
  } else if (const auto* e = std::get_if<InstallSnapshot>(&message)) {
    h = mix(mix(h, e->term.value), e->snapshot.meta.index.value);
  } else if (const auto* f = std::get_if<TimeoutNow>(&message)) {
    h = mix(h, f->term.value);
  }
  return h;
}

std::uint64_t fold(std::uint64_t digest, const Entry& entry) {
  return mix(digest, entry);
}

}  // namespace

Configuration voters(std::uint64_t count) {
  Configuration configuration;
  for (std::uint64_t i = 1; i <= count; ++i)
    configuration.push_back({ServerId{i}, Suffrage::kVoter});
  return configuration;
}

void Oracle::applied(ServerId by, LogIndex index, const Entry& entry) {
  if (index.value == entries_.size() + 1) {
    digests_.push_back(fold(digests_.empty() ? 0 : digests_.back(), entry));
    entries_.push_back(entry);
    if (entry.kind == EntryKind::kCommand) commands_.insert(entry.payload);
    if (on_first_apply) on_first_apply(entry);
  } else if (index.value == 0 || index.value > entries_.size()) {
    violations.push_back("server " + std::to_string(by.value) + " applied " +
                         std::to_string(index.value) + " out of order");
  } else if (!(entries_[index.value - 1] == entry)) {
    violations.push_back("server " + std::to_string(by.value) + " applied another entry at " +
                         std::to_string(index.value));
  }
}

void Oracle::restored(ServerId by, LogIndex index, std::uint64_t digest) {
  if (index.value > digests_.size() || digest_at(index) != digest)
    violations.push_back("server " + std::to_string(by.value) + " restored another state at " +
                         std::to_string(index.value));
}

std::uint64_t Oracle::digest_at(LogIndex index) const {
  return index.value == 0 ? 0 : digests_.at(index.value - 1);
}

void TestMachine::commit() {
  for (auto& report : std::exchange(reports_, {})) report();
  durable_ = state_;
}

void TestMachine::rollback() {
  reports_.clear();
  state_ = durable_;
}

void TestMachine::apply(LogIndex index, const Entry& entry) {
  EC_ASSERT(index == state_.applied.next(), "the replica skipped or repeated an entry");
  state_ = {index, fold(state_.digest, entry)};
  reports_.push_back([this, index, entry] { oracle_.applied(id_, index, entry); });
}

Bytes TestMachine::take_snapshot() {
  return std::to_string(state_.digest);
}

void TestMachine::restore(const Snapshot& snapshot) {
  EC_ASSERT(snapshot.meta.index > state_.applied, "a restore must not go back");
  state_ = {snapshot.meta.index, std::stoull(snapshot.bytes)};
  reports_.push_back(
      [this, state = state_] { oracle_.restored(id_, state.applied, state.digest); });
}

Cluster::Cluster(const ClusterOptions& given)
    : rng(chain::Rng(given.seed).fork("network")), options(given) {
  for (std::uint64_t i = 1; i <= options.voters + options.spectators; ++i) {
    nodes_[ServerId{i}] = std::make_unique<Node>(ServerId{i}, oracle);
    nodes_[ServerId{i}]->admission.is_open = !options.is_gated;
  }
}

void Cluster::start(ServerId id) {
  Node& n = node(id);
  EC_ASSERT(!n.replica, "the server runs already");
  ReplicaOptions o;
  o.self = id;
  o.seed = options.seed * 1000 + id.value;
  o.election_timeout = options.election_timeout;
  o.heartbeat_interval = options.heartbeat_interval;
  o.snapshot_every = options.snapshot_every;
  o.snapshot_trailing = options.snapshot_trailing;
  n.replica = std::make_unique<Replica>(o, n.store, n.admission, n.machine, voters(options.voters),
                                        n.machine.applied());
  n.is_same_run = false;
  turn(id, [](Replica& r, const chain::Now& now) { r.start(now); });
}

void Cluster::start_all() {
  for (auto& [id, n] : nodes_)
    if (!n->replica) start(id);
}

void Cluster::crash(ServerId id) {
  node(id).replica.reset();
}

void Cluster::turn(ServerId id, const std::function<void(Replica&, const chain::Now&)>& input) {
  Node& n = node(id);
  if (!n.replica) return;
  n.store.begin();
  input(*n.replica, time());
  if (std::exchange(n.loses_next_turn, false)) {
    n.store.rollback();
    n.machine.rollback();
    n.replica.reset();
    return;
  }
  n.store.commit();
  n.machine.commit();
  for (auto& envelope : n.replica->take_messages()) send(std::move(envelope));
  observe(n);
}

void Cluster::observe(Node& n) {
  const ServerView view = view_of(n.id, *n.replica);
  const auto add = [this](const std::vector<std::string>& found) {
    broken_.insert(broken_.end(), found.begin(), found.end());
  };
  add(check_state(view));
  if (n.seen) add(check_succession(*n.seen, view, n.is_same_run));
  add(leaders_.observe({view}));
  if (view.role == Role::kLeader && (!n.seen || n.seen->role != Role::kLeader)) ++elections_;
  if (n.machine.applied() != view.applied) broken_.push_back("replica and machine disagree");
  n.seen = view;
  n.is_same_run = true;
}

void Cluster::deliver(const Envelope& envelope) {
  turn(envelope.to, [&envelope](Replica& r, const chain::Now& at) { r.receive(envelope, at); });
}

chain::Result<LogIndex> Cluster::propose(ServerId to, const Bytes& payload) {
  chain::Result<LogIndex> result =
      chain::fail(chain::ErrorCode::kUnavailable, "the server is down");
  turn(to, [&](Replica& r, const chain::Now& at) {
    if (r.is_ready()) node(to).admission.bodies.insert(payload);
    result = r.propose(payload, at);
  });
  return result;
}

void Cluster::give_body(ServerId to, const Bytes& payload) {
  node(to).admission.bodies.insert(payload);
  turn(to, [](Replica& r, const chain::Now& at) { r.reconsider(at); });
}

void Cluster::cut(ServerId a, ServerId b) {
  cut_links.insert({a, b});
  cut_links.insert({b, a});
}

void Cluster::isolate(ServerId id) {
  for (auto& [other, n] : nodes_)
    if (other != id) cut(id, other);
}

void Cluster::heal() {
  cut_links.clear();
}

void Cluster::at(chain::Instant when, std::function<void()> action) {
  events_.push({std::max(when, now_), sequence_++, std::move(action)});
}

void Cluster::send(Envelope envelope) {
  trace_ = mix(trace_, static_cast<std::uint64_t>(now_.since_start.count()));
  trace_ = mix(mix(mix(trace_, envelope.from.value), envelope.to.value), envelope.message);
  if (drops && drops(envelope)) return;
  if (nodes_.count(envelope.to) == 0) return;
  const int copies = rng.chance(options.duplicate_percent, 100) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (rng.chance(options.drop_percent, 100)) continue;
    auto arrival =
        now_ + milliseconds(rng.between(options.latency_min.count(), options.latency_max.count()));
    const auto link = std::make_pair(envelope.from, envelope.to);
    if (options.is_fifo) arrival = std::max(arrival, last_arrival_[link]);
    last_arrival_[link] = arrival;
    at(arrival, [this, link, envelope] {
      if (cut_links.count(link) == 0) deliver(envelope);
    });
  }
}

// One event, a network's or a timer's. False if nothing happens before `until`.
bool Cluster::step(chain::Instant until) {
  Node* timer = nullptr;
  chain::Instant next = until.since_start.count() == 0 ? now_ : until;
  for (auto& [id, n] : nodes_) {
    if (!n->replica || n->replica->next_deadline() >= next) continue;
    next = n->replica->next_deadline();
    timer = n.get();
  }
  if (!events_.empty() && events_.top().when <= next && events_.top().when < until) {
    const Event event = events_.top();
    events_.pop();
    now_ = std::max(now_, event.when);
    event.action();
    return true;
  }
  if (timer == nullptr) return false;
  now_ = std::max(now_, next);
  turn(timer->id, [](Replica& r, const chain::Now& at) { r.tick(at); });
  return true;
}

void Cluster::run_for(milliseconds duration) {
  const chain::Instant until = now_ + duration;
  while (step(until)) {
  }
  now_ = until;
}

bool Cluster::run_until(const std::function<bool()>& condition, milliseconds limit) {
  const chain::Instant until = now_ + limit;
  while (!condition())
    if (!step(until)) return condition();
  return true;
}

Replica& Cluster::replica(ServerId id) {
  EC_ASSERT(node(id).replica, "the server is down");
  return *node(id).replica;
}

std::optional<ServerId> Cluster::leader() const {
  std::optional<ServerId> found;
  Term term;
  for (const auto& [id, n] : nodes_) {
    if (!n->replica || !n->replica->is_ready() || n->replica->term() <= term) continue;
    found = id;
    term = n->replica->term();
  }
  return found;
}

ServerId Cluster::elect() {
  const bool is_elected = run_until([this] { return leader().has_value(); });
  EC_ASSERT(is_elected, "no leader was elected");
  return *leader();
}

bool Cluster::all_applied(LogIndex index) {
  return std::all_of(nodes_.begin(), nodes_.end(), [index](const auto& entry) {
    const Node& n = *entry.second;
    return !n.replica || n.replica->applied_index() >= index;
  });
}

std::vector<std::string> Cluster::violations() {
  std::vector<std::string> all = broken_;
  all.insert(all.end(), oracle.violations.begin(), oracle.violations.end());
  return all;
}

}  // namespace eventchain::consensus::testing
