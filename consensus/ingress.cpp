#include "consensus/ingress.h"

#include <iterator>

#include "consensus/configuration.h"

namespace eventchain::consensus::ingress {

namespace {

using Fault = std::optional<std::string>;

// Leaves room for every addition the library does without looking.
constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 62;
// No cluster has so many elections while a server is away. Who sends terms that are out of reach
// could otherwise, with one message, take all there are: nobody could be elected ever again.
constexpr std::uint64_t kTermsAheadMax = std::uint64_t{1} << 32;

bool is_term(Term term) {
  return term.value != 0 && term.value <= kNumberMax;
}

// A position in a log: both zero or both not, and no newer than the message that names it.
bool is_position(LogIndex index, Term term, Term newest) {
  return (index.value == 0) == (term.value == 0) && index.value <= kNumberMax && term <= newest;
}

Fault fault_of(const RequestVote& m, const Envelope& envelope) {
  if (!is_term(m.term)) return "a vote request without a term";
  if (m.candidate != envelope.from) return "a vote request on behalf of another server";
  if (!is_position(m.last_log_index, m.last_log_term, m.term))
    return "a vote request with an impossible last entry";
  return std::nullopt;
}

Fault fault_of(const RequestVoteResult& m, const Envelope&) {
  if (!is_term(m.term)) return "a vote without a term";
  return std::nullopt;
}

Fault fault_of(const AppendEntries& m, const Envelope&) {
  if (!is_term(m.term)) return "entries without a term";
  if (!is_position(m.prev_index, m.prev_term, m.term)) return "entries after an impossible entry";
  if (m.entries.size() > kEntriesMax) return "more entries than one message may carry";
  Term before = m.prev_term;
  for (const auto& entry : m.entries) {
    if (!is_term(entry.term) || entry.term < before || entry.term > m.term)
      return "entries whose terms do not ascend";
    before = entry.term;
    if (entry.payload.size() > kPayloadBytesMax) return "an entry over the size limit";
    switch (entry.kind) {
      case EntryKind::kCommand:
      case EntryKind::kBarrier:
        break;
      case EntryKind::kChange:
        if (!decode_configuration(entry.payload)) return "a configuration that does not decode";
        break;
      default:
        return "an entry of unknown kind";
    }
  }
  return std::nullopt;
}

Fault fault_of(const AppendEntriesResult& m, const Envelope&) {
  if (!is_term(m.term)) return "a result without a term";
  if (m.rejected.value > kNumberMax || m.last_log_index.value > kNumberMax)
    return "a result with an impossible index";
  if (m.rejected.value != 0 && m.last_log_index >= m.rejected)
    return "a rejection of an entry the sender says it has";
  return std::nullopt;
}

Fault fault_of(const InstallSnapshot& m, const Envelope&) {
  const SnapshotMeta& meta = m.snapshot.meta;
  if (!is_term(m.term)) return "a snapshot without a term";
  if (meta.index.value == 0 || !is_position(meta.index, meta.term, m.term))
    return "a snapshot of an impossible entry";
  if (meta.configuration_index.value == 0 || meta.configuration_index > meta.index ||
      !is_well_formed(meta.configuration))
    return "a snapshot without a sound configuration";
  return std::nullopt;
}

Fault fault_of(const TimeoutNow& m, const Envelope&) {
  if (!is_term(m.term)) return "a transfer without a term";
  if (!is_position(m.last_log_index, m.last_log_term, m.term))
    return "a transfer with an impossible last entry";
  return std::nullopt;
}

// Only one server leads a term, and not ourselves if somebody else does. A late message of a leader
// that has since been taken out of the configuration can look like this; losing it is harmless.
Verdict judge_leader(ServerId from, Term term, const Core& core) {
  if (term != core.hard_state().term) return Verdict::kPass;
  const auto leader = core.leader();
  return !leader || *leader == from ? Verdict::kPass : Verdict::kMalformed;
}

}  // namespace

Fault find_fault(const Envelope& envelope, ServerId self) {
  if (envelope.from.value == 0 || envelope.from == self) return "a message from nobody else";
  if (envelope.to != self) return "a message for another server";
  return std::visit([&envelope](const auto& message) { return fault_of(message, envelope); },
                    envelope.message);
}

Verdict judge(const Envelope& envelope, const Core& core) {
  const Term term = std::visit([](const auto& message) { return message.term; }, envelope.message);
  if (term.value > core.hard_state().term.value + kTermsAheadMax) return Verdict::kMalformed;
  if (const auto* append = std::get_if<AppendEntries>(&envelope.message))
    return judge_leader(envelope.from, append->term, core);
  if (const auto* install = std::get_if<InstallSnapshot>(&envelope.message))
    return judge_leader(envelope.from, install->term, core);
  if (std::holds_alternative<RequestVoteResult>(envelope.message))
    // The library reads candidate state here even where it has none.
    return core.role() == Role::kCandidate ? Verdict::kPass : Verdict::kUseless;
  if (const auto* result = std::get_if<AppendEntriesResult>(&envelope.message)) {
    const auto match = core.match_index(envelope.from);
    if (result->rejected.value != 0 && result->term == core.hard_state().term && match &&
        result->rejected <= *match)
      return Verdict::kStaleRejection;
  }
  return Verdict::kPass;
}

bool trim(AppendEntries& message, const Core& core) {
  const LogIndex commit = core.commit_index();
  if (message.term < core.hard_state().term || message.prev_index >= commit) return false;
  // The sender leads a term not older than ours, so it has everything we know to be committed, and
  // what it says about those entries is what we have.
  const std::uint64_t below = commit.value - message.prev_index.value;
  const auto count = static_cast<std::ptrdiff_t>(
      std::min<std::uint64_t>(below, static_cast<std::uint64_t>(message.entries.size())));
  message.entries.erase(message.entries.begin(), std::next(message.entries.begin(), count));
  message.prev_index = commit;
  message.prev_term = core.term_of(commit);
  EC_ASSERT(message.prev_term.value != 0, "a committed entry has no term");
  return true;
}

std::vector<AppendEntries> split(AppendEntries message) {
  std::vector<AppendEntries> pieces;
  AppendEntries piece = message;
  piece.entries.clear();
  LogIndex last = message.prev_index;
  Term last_term = message.prev_term;
  for (auto& entry : message.entries) {
    if (entry.kind == EntryKind::kChange && !piece.entries.empty()) {
      pieces.push_back(std::move(piece));
      piece =
          AppendEntries{message.version, message.term, last, last_term, message.leader_commit, {}};
    }
    last = last.next();
    last_term = entry.term;
    piece.entries.push_back(std::move(entry));
  }
  pieces.push_back(std::move(piece));
  return pieces;
}

}  // namespace eventchain::consensus::ingress
