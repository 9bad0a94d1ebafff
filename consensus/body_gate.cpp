#include "consensus/body_gate.h"

#include <algorithm>
#include <iterator>

namespace eventchain::consensus {

namespace {

LogIndex after(LogIndex index, std::size_t count) {
  return LogIndex{index.value + static_cast<std::uint64_t>(count)};
}

// How many leading entries the log may take. An entry that our log has already was admitted before:
// equal index and term are the same entry.
std::size_t admissible_prefix(ServerId from, const AppendEntries& message, const Core& core,
                              Admission& admission) {
  for (std::size_t i = 0; i < message.entries.size(); ++i) {
    const Entry& entry = message.entries[i];
    const LogIndex index = after(message.prev_index, i + 1);
    if (entry.kind != EntryKind::kCommand || core.term_of(index) == entry.term) continue;
    const auto maker = entry.term == message.term ? std::optional(from) : std::nullopt;
    if (admission.admit(index, entry, maker) == Admission::Answer::kNotYet) return i;
  }
  return message.entries.size();
}

// A heartbeat that the sender, being a leader of this term, could have sent: whoever leads a term
// not older than ours has everything we know to be committed.
AppendEntries heartbeat_at_commit(std::uint8_t version, Term term, const Core& core) {
  const LogIndex commit = core.commit_index();
  return {version, term, commit, core.term_of(commit), commit, {}};
}

}  // namespace

std::optional<Envelope> BodyGate::pass(Envelope envelope, const Core& core, Admission& admission) {
  drop_outdated(core);
  if (std::holds_alternative<AppendEntries>(envelope.message))
    return pass_entries(std::move(envelope), core, admission);
  if (std::holds_alternative<InstallSnapshot>(envelope.message))
    return pass_snapshot(std::move(envelope), core, admission);
  return envelope;
}

void BodyGate::drop_outdated(const Core& core) {
  const Term term = core.hard_state().term;
  if (tail_ && tail_->message.term < term) tail_.reset();
  if (snapshot_) {
    const auto& held = std::get<InstallSnapshot>(snapshot_->message);
    if (held.term < term || held.snapshot.meta.index <= core.commit_index()) snapshot_.reset();
  }
}

bool BodyGate::is_sender_of(const Envelope& envelope, Term term) const {
  return tail_ && tail_->from == envelope.from && tail_->message.term == term;
}

std::optional<Envelope> BodyGate::pass_entries(Envelope envelope, const Core& core,
                                               Admission& admission) {
  auto& message = std::get<AppendEntries>(envelope.message);
  if (message.term < core.hard_state().term) return envelope;  // the core answers with the new term

  if (snapshot_ && snapshot_->from == envelope.from) {
    const auto& held = std::get<InstallSnapshot>(snapshot_->message);
    if (held.term == message.term && message.prev_index >= held.snapshot.meta.index) {
      // A rejection would make the leader send the whole snapshot again, heartbeat by heartbeat.
      message = heartbeat_at_commit(message.version, message.term, core);
      return envelope;
    }
  }
  if (is_sender_of(envelope, message.term)) {
    join(message);
    return release(core, admission);
  }
  tail_.reset();

  // If our log does not contain prev the core will reject all of it; nothing gets in.
  const bool is_anchored =
      message.prev_index.value == 0 || core.term_of(message.prev_index) == message.prev_term;
  if (!is_anchored) return envelope;
  const std::size_t count = admissible_prefix(envelope.from, message, core, admission);
  if (count == message.entries.size()) return envelope;
  tail_ = Tail{envelope.from, envelope.to, message, 0};
  tail_->message.entries.clear();
  tail_->message.prev_index = after(message.prev_index, count);
  if (count > 0) tail_->message.prev_term = message.entries[count - 1].term;
  hold_from(count, message);
  message.entries.resize(count);
  return envelope;
}

std::optional<Envelope> BodyGate::pass_snapshot(Envelope envelope, const Core& core,
                                                Admission& admission) {
  const auto& message = std::get<InstallSnapshot>(envelope.message);
  if (message.term < core.hard_state().term || message.snapshot.meta.index <= core.commit_index() ||
      admission.admit_snapshot(message.snapshot) == Admission::Answer::kYes) {
    // Installing replaces the log, and with it the tail's anchor.
    tail_.reset();
    return envelope;
  }
  Envelope heartbeat{envelope.from, envelope.to,
                     heartbeat_at_commit(message.version, message.term, core)};
  snapshot_ = std::move(envelope);
  return heartbeat;
}

// Takes over what continues the tail. What lies behind its end is lost, but answered like the rest:
// a rejection would only make the leader send everything again while the tail still waits. Once the
// tail is gone the leader is rejected, and sends again from its end.
void BodyGate::join(AppendEntries& message) {
  AppendEntries& held = tail_->message;
  const LogIndex end = after(held.prev_index, held.entries.size());
  held.leader_commit = std::max(held.leader_commit, message.leader_commit);
  if (message.prev_index <= end) hold_from(end.value - message.prev_index.value, message);
}

void BodyGate::hold_from(std::size_t first, AppendEntries& message) {
  auto& entries = tail_->message.entries;
  for (std::size_t i = first; i < message.entries.size(); ++i) {
    Entry& entry = message.entries[i];
    // What follows a loss would leave a hole in the tail, so all of it is lost.
    if (entries.size() == kHeldEntriesMax || tail_->bytes + entry.payload.size() > kHeldBytesMax)
      return;
    tail_->bytes += entry.payload.size();
    entries.push_back(std::move(entry));
  }
}

Envelope BodyGate::release(const Core& core, Admission& admission) {
  AppendEntries& held = tail_->message;
  Envelope envelope{tail_->from, tail_->to, held};
  auto& released = std::get<AppendEntries>(envelope.message);
  const std::size_t count = admissible_prefix(tail_->from, held, core, admission);
  released.entries.resize(count);
  if (count == held.entries.size()) {
    tail_.reset();
    return envelope;
  }
  for (const auto& entry : released.entries) {
    tail_->bytes -= entry.payload.size();
    held.prev_index = held.prev_index.next();
    held.prev_term = entry.term;
  }
  held.entries.erase(held.entries.begin(),
                     std::next(held.entries.begin(), static_cast<std::ptrdiff_t>(count)));
  return envelope;
}

std::optional<Envelope> BodyGate::reconsider(const Core& core, Admission& admission) {
  drop_outdated(core);
  if (snapshot_) {
    const auto& held = std::get<InstallSnapshot>(snapshot_->message);
    if (admission.admit_snapshot(held.snapshot) == Admission::Answer::kYes) {
      Envelope envelope = std::move(*snapshot_);
      snapshot_.reset();
      tail_.reset();
      return envelope;
    }
  }
  if (!tail_) return std::nullopt;
  Envelope envelope = release(core, admission);
  if (std::get<AppendEntries>(envelope.message).entries.empty()) return std::nullopt;
  return envelope;
}

std::vector<Entry> BodyGate::held_back() const {
  std::vector<Entry> commands;
  if (!tail_) return commands;
  for (const auto& entry : tail_->message.entries)
    if (entry.kind == EntryKind::kCommand) commands.push_back(entry);
  return commands;
}

std::optional<Snapshot> BodyGate::held_back_snapshot() const {
  if (!snapshot_) return std::nullopt;
  return std::get<InstallSnapshot>(snapshot_->message).snapshot;
}

}  // namespace eventchain::consensus
