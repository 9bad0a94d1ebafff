#include "consensus/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "consensus/configuration.h"
#include "consensus/ingress.h"
#include "consensus/replica_state.h"

namespace eventchain::consensus {

namespace {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

// Proposals of a leader that nobody acknowledges; it steps down after an election timeout anyway.
constexpr std::uint64_t kUncommittedMax = 1024;
// The library computes its next timeout from servers it no longer sends to as well; without a floor
// such a deadline would stay in the past and the node would spin.
constexpr int kTimeoutsPerHeartbeatMax = 4;

}  // namespace

Replica::Replica(const ReplicaOptions& options, LogStore& store, Admission& admission,
                 StateMachine& machine, const Configuration& bootstrap, LogIndex applied)
    : state_(std::make_unique<State>(options, store, admission, machine, bootstrap, applied)) {
  EC_ASSERT(options.snapshot_every > 0, "a snapshot at every entry at most");
  EC_ASSERT(options.snapshot_trailing > 0, "to the store, 0 means that the log is replaced");
  EC_ASSERT(bootstrap.empty() || is_well_formed(bootstrap),
            "the first configuration must be sorted, distinct and have a voter");
}

Replica::~Replica() = default;

void Replica::start(const chain::Now& now) {
  EC_ASSERT(!state_->started, "a replica is started once");
  state_->started = true;
  state_->load(now.steady);
}

void Replica::receive(const Envelope& envelope, const chain::Now& now) {
  EC_ASSERT(state_->started, "a replica is started before it is used");
  state_->receive(envelope, now.steady);
}

void Replica::tick(const chain::Now& now) {
  EC_ASSERT(state_->started, "a replica is started before it is used");
  if (now.steady < next_deadline()) return;
  state_->timed_out = now.steady;
  state_->carry_out(state_->core.timeout(now.steady), now.steady);
  state_->settle(now.steady);
}

void Replica::link_lost(ServerId server, const chain::Now& now) {
  if (server != state_->options.self && leader() == server) state_->core.leader_lost(now.steady);
}

void Replica::reconsider(const chain::Now& now) {
  state_->settle(now.steady);
}

Result<LogIndex> Replica::propose(Bytes payload, const chain::Now& now) {
  if (payload.size() > ingress::kPayloadBytesMax)
    return fail(ErrorCode::kTooLarge, fmt::format("a log entry of {} octets; at most {} fit",
                                                  payload.size(), ingress::kPayloadBytesMax));
  if (!state_->is_ready()) return state_->not_ready();
  if (last_index().value - commit_index().value >= kUncommittedMax)
    return fail(ErrorCode::kUnavailable, "too many entries wait for a quorum; try again later");
  return state_->submit(EntryKind::kCommand, payload, now.steady);
}

Result<void> Replica::change(const Configuration& wanted, const chain::Now& now) {
  if (!is_well_formed(wanted))
    return fail(ErrorCode::kInvalid,
                "a configuration must be sorted by id, without duplicates, with a voter");
  if (!state_->is_ready()) return state_->not_ready();
  if (!state_->changes.empty())
    return fail(ErrorCode::kUnavailable, "another change is not committed yet; try again shortly");
  // Majorities before and after must overlap; and the library matches its bookkeeping to servers by
  // their count, so it must never see one server replaced by another.
  if (difference(configuration(), wanted) != 1)
    return fail(ErrorCode::kInvalid, "change exactly one server at a time");
  // A leader that takes its own vote and dies before others have that entry could neither stand for
  // election nor vote for their shorter logs.
  const Server* self = find_server(wanted, state_->options.self);
  if (self == nullptr || self->suffrage != Suffrage::kVoter)
    return fail(ErrorCode::kInvalid,
                "a leader cannot take its own vote; transfer leadership first");
  auto submitted = state_->submit(EntryKind::kChange, encode_configuration(wanted), now.steady);
  if (!submitted) return tl::unexpected<chain::Error>(submitted.error());
  return {};
}

Result<void> Replica::transfer(ServerId to, const chain::Now& now) {
  if (!state_->is_ready()) return state_->not_ready();
  const Server* server = find_server(configuration(), to);
  if (to == state_->options.self || server == nullptr || server->suffrage != Suffrage::kVoter)
    return fail(ErrorCode::kInvalid,
                fmt::format("server {} is not another voter; pick one", to.value));
  state_->carry_out(state_->core.transfer(to, now.steady), now.steady);
  state_->settle(now.steady);
  return {};
}

std::vector<Envelope> Replica::take_messages() {
  return std::exchange(state_->outbox, {});
}

Role Replica::role() const {
  return state_->core.role();
}
Term Replica::term() const {
  return state_->core.hard_state().term;
}
HardState Replica::hard_state() const {
  return state_->core.hard_state();
}
std::optional<ServerId> Replica::leader() const {
  return state_->core.leader();
}
bool Replica::is_ready() const {
  return state_->is_ready();
}
LogIndex Replica::last_index() const {
  return state_->core.last_index();
}
LogIndex Replica::commit_index() const {
  return state_->core.commit_index();
}
LogIndex Replica::applied_index() const {
  return state_->applied;
}

const Configuration& Replica::configuration() const {
  return state_->changes.empty() ? state_->committed_configuration
                                 : state_->changes.rbegin()->second;
}

bool Replica::knows(ServerId id) const {
  if (leader() == id || find_server(state_->committed_configuration, id) != nullptr) return true;
  return std::ranges::any_of(state_->changes, [id](const auto& change) {
    return find_server(change.second, id) != nullptr;
  });
}

bool Replica::is_changing() const {
  return !state_->changes.empty();
}

std::optional<LogIndex> Replica::match_index(ServerId id) const {
  return state_->core.match_index(id);
}

chain::Instant Replica::next_deadline() const {
  const chain::Instant deadline = state_->core.deadline();
  if (!state_->timed_out) return deadline;
  const auto pause = state_->options.heartbeat_interval / kTimeoutsPerHeartbeatMax;
  return std::max(deadline, *state_->timed_out + pause);
}

std::vector<Entry> Replica::held_back() const {
  return state_->gate.held_back();
}
std::optional<Snapshot> Replica::held_back_snapshot() const {
  return state_->gate.held_back_snapshot();
}
const Replica::Counters& Replica::counters() const {
  return state_->counters;
}

}  // namespace eventchain::consensus
