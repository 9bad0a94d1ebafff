#include "consensus/replica_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/planted.h"
#include "consensus/configuration.h"
#include "consensus/ingress.h"

namespace eventchain::consensus {

namespace {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

// One AppendEntries carries at most this much payload (or one entry).
constexpr std::size_t kMessageBytesMax = std::size_t{1} << 20;
// Entries read at once when applying.
constexpr std::uint64_t kApplyBatch = 256;
// As long as a barrier of the library's own.
constexpr std::size_t kBarrierBytes = 8;

}  // namespace

void Replica::State::load(chain::Instant now) {
  LogStore::Loaded loaded = store.load();
  const bool is_empty =
      loaded.hard_state == HardState{} && loaded.entries.empty() && !loaded.snapshot;
  if (is_empty && find_server(bootstrap, options.self) != nullptr) {
    loaded.hard_state = {Term{1}, ServerId{0}};
    loaded.first = LogIndex{1};
    loaded.entries = {{Term{1}, EntryKind::kChange, encode_configuration(bootstrap)}};
    store.save_hard_state(loaded.hard_state);
    store.append(loaded.first, loaded.entries);
  }
  if (loaded.snapshot) {
    const SnapshotMeta& meta = loaded.snapshot->meta;
    snapshot_index = meta.index;
    committed_configuration = meta.configuration;
    committed_configuration_index = meta.configuration_index;
    if (applied < meta.index) {
      machine.restore(*loaded.snapshot);
      applied = meta.index;
    }
  }
  for (std::size_t i = 0; i < loaded.entries.size(); ++i) {
    const LogIndex index{loaded.first.value + i};
    if (loaded.entries[i].kind != EntryKind::kChange || index <= committed_configuration_index)
      continue;
    auto configuration = decode_configuration(loaded.entries[i].payload);
    EC_ASSERT(configuration.has_value(), "a stored configuration entry does not decode");
    changes[index] = std::move(*configuration);
  }
  carry_out(core.start(loaded, applied, now), now);
  settle(now);
}

void Replica::State::receive(Envelope envelope, chain::Instant now) {
  if (ingress::find_fault(envelope, options.self)) {
    ++counters.malformed;
    return;
  }
  switch (ingress::judge(envelope, core)) {
    case ingress::Verdict::kPass:
      break;
    case ingress::Verdict::kMalformed:
      ++counters.malformed;
      return;
    case ingress::Verdict::kStaleRejection:
      ++counters.stale_rejections;
      return;
    case ingress::Verdict::kUseless:
      return;
  }
  if (auto* append = std::get_if<AppendEntries>(&envelope.message))
    if (ingress::trim(*append, core)) ++counters.trimmed;
  const bool was_holding = gate.is_holding();
  auto passed = gate.pass(std::move(envelope), core, admission);
  if (!was_holding && gate.is_holding()) ++counters.gated;
  if (passed) deliver(std::move(*passed), now);
  settle(now);
}

// pre: past ingress and gate.
void Replica::State::deliver(Envelope envelope, chain::Instant now) {
  auto* append = std::get_if<AppendEntries>(&envelope.message);
  if (append == nullptr) {
    carry_out(core.receive(envelope, now), now);
    return;
  }
  auto pieces = ingress::split(std::move(*append));
  if (pieces.size() > 1) ++counters.split;
  for (auto& piece : pieces) {
    envelope.message = std::move(piece);
    carry_out(core.receive(envelope, now), now);
  }
}

// Persist, then send, then tell the core that it is persisted. The store takes part in the node's
// turn and nothing in the outbox leaves before that turn is durable, so "persisted" may be said at
// once, and no append is ever in flight.
void Replica::State::carry_out(Update update, chain::Instant now) {
  while (true) {
    persist(update);
    send(update.messages);
    if (update.append) {
      const LogIndex last{update.append->from.value + update.append->entries.size() - 1};
      update = core.persisted(last, now);
    } else if (update.install) {
      update = core.snapshot_persisted(update.install->meta, now);
    } else {
      return;
    }
  }
}

void Replica::State::persist(const Update& update) {
  if (update.hard_state) {
    const bool loses_vote = chain::is_planted(chain::Mistake::kVoteNotPersisted);
    store.save_hard_state(loses_vote ? HardState{update.hard_state->term, ServerId{0}}
                                     : *update.hard_state);
  }
  if (update.append) {
    const auto& [from, entries] = *update.append;
    EC_ASSERT(from > applied, "the core replaces an entry that is applied");
    changes.erase(changes.lower_bound(from), changes.end());
    store.append(from, entries);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].kind != EntryKind::kChange) continue;
      auto configuration = decode_configuration(entries[i].payload);
      EC_ASSERT(configuration.has_value(), "a configuration passed ingress and does not decode");
      changes[LogIndex{from.value + i}] = std::move(*configuration);
    }
  }
  if (update.install) {
    const SnapshotMeta& meta = update.install->meta;
    EC_ASSERT(meta.index > applied, "the core installs a snapshot older than the state machine");
    store.save_snapshot(*update.install, 0);
    machine.restore(*update.install);
    applied = snapshot_index = meta.index;
    changes.clear();
    committed_configuration = meta.configuration;
    committed_configuration_index = meta.configuration_index;
    ++counters.snapshots_installed;
  }
}

void Replica::State::send(std::vector<Outgoing>& messages) {
  for (auto& outgoing : messages) {
    // An only voter's library may answer itself; nobody else is meant.
    if (outgoing.envelope.to == options.self) continue;
    if (std::holds_alternative<AppendEntries>(outgoing.envelope.message)) {
      send_entries(outgoing);
      continue;
    }
    if (auto* install = std::get_if<InstallSnapshot>(&outgoing.envelope.message)) {
      auto snapshot = store.snapshot();
      EC_ASSERT(snapshot && snapshot->meta.index == install->snapshot.meta.index,
                "the core offers a snapshot that the store does not hold");
      install->snapshot = std::move(*snapshot);
    }
    outbox.push_back(std::move(outgoing.envelope));
  }
}

// R7. Entries for `to` end before one that takes its vote away, until that is committed. A server
// uses a configuration as soon as it has it, and the library does not stand for election without a
// vote, although it may still be needed (thesis, 4.2.2): were the leader lost and `to` alone had
// the entry, its log would be the newest, and nobody could win. A shorter message is always safe;
// the next one is refused, and the leader sends anew what is missing.
std::uint64_t Replica::State::entries_for(ServerId to, LogIndex after, std::uint64_t count) const {
  const auto votes = [to](const Configuration& configuration) {
    const Server* server = find_server(configuration, to);
    return server != nullptr && server->suffrage == Suffrage::kVoter;
  };
  if (!votes(committed_configuration)) return count;
  for (const auto& [index, configuration] : changes) {
    if (index.value > after.value + count) break;
    if (index > after && !votes(configuration)) return index.value - after.value - 1;
  }
  return count;
}

// Fills in the entries. Where they are too much for one message they go in several, each of which
// a leader could have sent; cutting them short instead would leave the library believing that the
// rest is under way.
void Replica::State::send_entries(const Outgoing& outgoing) {
  auto message = std::get<AppendEntries>(outgoing.envelope.message);
  append_version = message.version;
  std::vector<Entry> entries;
  const std::uint64_t count =
      entries_for(outgoing.envelope.to, message.prev_index, outgoing.entry_count);
  if (count > 0)
    entries = store.entries(message.prev_index.next(), LogIndex{message.prev_index.value + count});
  LogIndex last = message.prev_index;
  Term last_term = message.prev_term;
  std::size_t bytes = 0;
  const auto flush = [&] {
    outbox.push_back({outgoing.envelope.from, outgoing.envelope.to, message});
    message.entries.clear();
    message.prev_index = last;
    message.prev_term = last_term;
    bytes = 0;
  };
  for (auto& entry : entries) {
    const bool is_full = message.entries.size() == ingress::kEntriesMax ||
                         bytes + entry.payload.size() > kMessageBytesMax;
    if (is_full && !message.entries.empty()) flush();
    bytes += entry.payload.size();
    last = last.next();
    last_term = entry.term;
    message.entries.push_back(std::move(entry));
  }
  const LogIndex learns = std::min(message.leader_commit, last);
  flush();
  LogIndex& known = told[outgoing.envelope.to];
  known = std::max(known, learns);
}

// Until nothing moves: what became committed is applied, and what is applied may let the gate open.
void Replica::State::settle(chain::Instant now) {
  while (true) {
    notice_role(now);
    apply_committed();
    commit_configurations(now);
    take_snapshot_if_due(now);
    auto released = gate.is_holding() ? gate.reconsider(core, admission) : std::nullopt;
    if (released) deliver(std::move(*released), now);
    const bool is_settled = !released && applied >= core.commit_index() &&
                            (core.role() != Role::kLeader || led_term == core.hard_state().term);
    if (is_settled) break;
  }
  tell_commit();
}

void Replica::State::notice_role(chain::Instant now) {
  const Term term = core.hard_state().term;
  if (core.role() != Role::kLeader || led_term == term) return;
  led_term = term;
  told.clear();
  ++counters.elections;
  // R4. The library adds a barrier of its own only if its log reaches beyond its commit index.
  if (core.term_of(core.last_index()) != term)
    carry_out(core.submit(EntryKind::kBarrier, Bytes(kBarrierBytes, '\0'), now), now);
}

void Replica::State::apply_committed() {
  const LogIndex commit = core.commit_index();
  while (applied < commit) {
    const LogIndex to{std::min(commit.value, applied.value + kApplyBatch)};
    const auto entries = store.entries(applied.next(), to);
    for (const auto& entry : entries) {
      machine.apply(applied.next(), entry);
      applied = applied.next();
    }
  }
}

void Replica::State::commit_configurations(chain::Instant now) {
  while (!changes.empty() && changes.begin()->first <= applied) {
    auto node = changes.extract(changes.begin());
    committed_configuration = node.mapped();
    committed_configuration_index = node.key();
    // The leader steps down here if this removes it.
    carry_out(core.configuration_committed(node.key(), node.mapped(), now), now);
  }
}

void Replica::State::take_snapshot_if_due(chain::Instant now) {
  if (applied.value - snapshot_index.value < options.snapshot_every) return;
  Snapshot snapshot;
  snapshot.meta = {applied, core.term_of(applied), committed_configuration,
                   committed_configuration_index};
  snapshot.bytes = machine.take_snapshot();
  store.save_snapshot(snapshot, options.snapshot_trailing);
  snapshot_index = applied;
  ++counters.snapshots;
  carry_out(core.snapshot_taken(snapshot.meta, options.snapshot_trailing, now), now);
}

// Followers learn the commit index with the next AppendEntries, in a quiet cluster a heartbeat
// later. So each one that is not told already gets a heartbeat now, anchored at what it has
// acknowledged: it must accept it, and its answer tells the library nothing new.
void Replica::State::tell_commit() {
  if (core.role() != Role::kLeader) return;
  const Configuration& servers =
      changes.empty() ? committed_configuration : changes.rbegin()->second;
  for (const auto& server : servers) {
    if (server.id == options.self || server.suffrage == Suffrage::kSpare) continue;
    const LogIndex match = core.match_index(server.id).value_or(LogIndex{0});
    const LogIndex learns = std::min(core.commit_index(), match);
    LogIndex& known = told[server.id];
    const Term match_term = core.term_of(match);
    if (learns <= known || match_term.value == 0) continue;
    known = learns;
    outbox.push_back({options.self, server.id,
                      AppendEntries{append_version, led_term, match, match_term, learns, {}}});
  }
}

bool Replica::State::is_ready() const {
  return core.role() == Role::kLeader && !core.is_transferring() &&
         core.term_of(core.commit_index()) == core.hard_state().term;
}

tl::unexpected<chain::Error> Replica::State::not_ready() const {
  if (core.role() == Role::kLeader)
    return fail(ErrorCode::kUnavailable,
                core.is_transferring() ? "leadership is being transferred; try again shortly"
                                       : "this leader has not committed an entry of its own term "
                                         "yet; try again shortly");
  const auto leader = core.leader();
  return fail(ErrorCode::kUnavailable,
              leader ? fmt::format("this server does not lead; ask server {}", leader->value)
                     : std::string("no leader is known; try again when one is elected"));
}

Result<LogIndex> Replica::State::submit(EntryKind kind, const Bytes& payload, chain::Instant now) {
  const LogIndex index = core.last_index().next();
  carry_out(core.submit(kind, payload, now), now);
  settle(now);
  return index;
}

}  // namespace eventchain::consensus
