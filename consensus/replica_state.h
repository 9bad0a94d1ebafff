#pragma once

#include <map>
#include <optional>

#include "consensus/body_gate.h"
#include "consensus/core.h"
#include "consensus/replica.h"

namespace eventchain::consensus {

// What drives the core: ingress and gate before it, store, outbox and state machine behind it. The
// inside of Replica; replica.cpp holds the requests, replica_state.cpp the machinery.
struct Replica::State {
  State(const ReplicaOptions& given, LogStore& log, Admission& gatekeeper, StateMachine& applier,
        const Configuration& first, LogIndex applied_before)
      : options(given),
        store(log),
        admission(gatekeeper),
        machine(applier),
        bootstrap(first),
        core({given.self, given.seed, given.election_timeout, given.heartbeat_interval}),
        applied(applied_before) {}

  void load(chain::Instant now);
  void receive(Envelope envelope, chain::Instant now);
  void deliver(Envelope envelope, chain::Instant now);
  void carry_out(Update update, chain::Instant now);
  void persist(const Update& update);
  void send(std::vector<Outgoing>& messages);
  void send_entries(const Outgoing& outgoing);
  [[nodiscard]] std::uint64_t entries_for(ServerId to, LogIndex after, std::uint64_t count) const;
  void settle(chain::Instant now);
  void notice_role(chain::Instant now);
  void apply_committed();
  void commit_configurations(chain::Instant now);
  void take_snapshot_if_due(chain::Instant now);
  void tell_commit();
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] tl::unexpected<chain::Error> not_ready() const;
  chain::Result<LogIndex> submit(EntryKind kind, const Bytes& payload, chain::Instant now);

  // Constant after construction.
  const ReplicaOptions options;
  LogStore& store;
  Admission& admission;
  StateMachine& machine;
  const Configuration bootstrap;

  Core core;
  BodyGate gate;
  Counters counters;
  bool started = false;
  std::vector<Envelope> outbox;
  LogIndex applied;
  LogIndex snapshot_index;
  // Configurations in the log that are not known to be committed; in a legal log at most one, but
  // after a restart older ones are known again only when the commit index passes them.
  std::map<LogIndex, Configuration> changes;
  Configuration committed_configuration;
  LogIndex committed_configuration_index;
  Term led_term;                            // the last term in which we were seen leading
  std::map<ServerId, LogIndex> told;        // highest commit index sent to a server in led_term
  std::uint8_t append_version = 0;          // of the library's AppendEntries
  std::optional<chain::Instant> timed_out;  // last time the library was told of a timeout
};

}  // namespace eventchain::consensus
