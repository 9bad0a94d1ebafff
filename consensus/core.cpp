#include "consensus/core.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "chain/planted.h"
#include "chain/rng.h"
#include "consensus/configuration.h"
#include "consensus/library_values.h"

namespace eventchain::consensus {

namespace {

// Entries sent ahead of their acknowledgement. Entries are decisions of a few kilobytes.
constexpr unsigned kInflightEntries = 256;
// A lost InstallSnapshot is noticed only by this timeout, counted in election timeouts.
constexpr unsigned kInstallTimeoutFactor = 5;
// Who lost the link to its leader waits a fifth of the election timeout, for a connection that only
// broke, and then up to a quarter of it, so that two voters do not stand at once.
constexpr unsigned kLostLeaderGrace = 5;
constexpr unsigned kLostLeaderSpread = 4;

raft_time to_ms(chain::Instant at) {
  return static_cast<raft_time>(
      std::chrono::duration_cast<std::chrono::milliseconds>(at.since_start).count());
}

}  // namespace

using namespace library;

struct Core::Library {
  raft raft_{};
  ServerId self;

  Update step(raft_event& event, chain::Instant now);
  void take_entries(const raft_update& update, Update& result);
  void take_snapshot(raft_update& update, Update& result);
  void take_messages(const raft_update& update, Update& result);
  Update step_as_voter(raft_event& event, chain::Instant now);
  [[nodiscard]] bool is_only_voter(const Configuration& configuration) const;
};

Update Core::Library::step(raft_event& event, chain::Instant now) {
  event.time = to_ms(now);
  // No capacity threshold is set, so the value is only carried along.
  event.capacity = std::numeric_limits<unsigned short>::max();
  raft_update update{};
  const int rv = raft_step(&raft_, &event, &update);
  if (rv != 0) {
    // The callers have checked every condition under which the library may refuse. What is left is
    // out of memory or two different committed entries at one index: going on would spread it.
    const std::string text = fmt::format(
        "Raft core of server {} failed at event {}: {} ({}); stop this node and keep "
        "its store for examination",
        self.value, static_cast<int>(event.type), raft_strerror(rv), raft_errmsg(&raft_));
    chain::assertion_failed("raft_step(...) == 0", text.c_str(), __FILE__, __LINE__);
  }
  Update result;
  if ((update.flags & ((RAFT_UPDATE_CURRENT_TERM) | (RAFT_UPDATE_VOTED_FOR))) != 0)
    result.hard_state = HardState{Term{raft_.current_term}, ServerId{raft_.voted_for}};
  if ((update.flags & (RAFT_UPDATE_ENTRIES)) != 0) take_entries(update, result);
  if ((update.flags & (RAFT_UPDATE_SNAPSHOT)) != 0) take_snapshot(update, result);
  if ((update.flags & (RAFT_UPDATE_MESSAGES)) != 0) take_messages(update, result);
  return result;
}

void Core::Library::take_entries(const raft_update& update, Update& result) {
  Update::Append append;
  append.from = LogIndex{update.entries.index};
  for (unsigned i = 0; i < update.entries.n; ++i) {
    const raft_entry& entry = update.entries.batch[i];
    append.entries.push_back(
        {Term{entry.term}, static_cast<EntryKind>(entry.type), to_bytes(entry.buf)});
  }
  // With this flag the batch has come back to us; without it the library has freed it.
  raft_free(update.entries.batch[0].batch);
  result.append = std::move(append);
}

void Core::Library::take_snapshot(raft_update& update, Update& result) {
  auto& metadata = update.snapshot.metadata;
  Snapshot snapshot;
  snapshot.meta.index = LogIndex{metadata.index};
  snapshot.meta.term = Term{metadata.term};
  snapshot.meta.configuration = from_library(metadata.configuration);
  snapshot.meta.configuration_index = LogIndex{metadata.configuration_index};
  snapshot.bytes = to_bytes(update.snapshot.chunk);
  raft_free(update.snapshot.chunk.base);
  raft_configuration_close(&metadata.configuration);  // handed over anew in snapshot_persisted()
  result.install = std::move(snapshot);
}

void Core::Library::take_messages(const raft_update& update, Update& result) {
  for (unsigned i = 0; i < update.messages.n; ++i) {
    const raft_message& message = update.messages.batch[i];
    Outgoing outgoing{{self, ServerId{message.server_id}, from_library(message)}, 0};
    if (message.type == RAFT_APPEND_ENTRIES)
      outgoing.entry_count = message.append_entries.n_entries;
    result.messages.push_back(std::move(outgoing));
  }
}

// R6. The library refuses its vote while its own log does not make it a voter. But the candidate's
// log may, by a change that has not arrived here; where the new majority needs this vote the
// cluster would wait for ever. Votes are granted without looking at one's configuration
// (thesis, 4.1): only who counts a vote must know the voter, and the candidate does.
Update Core::Library::step_as_voter(raft_event& event, chain::Instant now) {
  const Configuration servers = from_library(raft_.configuration);
  const Server* own = find_server(servers, self);
  const bool is_voter = own != nullptr && own->suffrage == Suffrage::kVoter;
  if (is_voter || raft_.state != RAFT_FOLLOWER) return step(event, now);
  raft_configuration alone = to_library({{self, Suffrage::kVoter}});
  std::swap(raft_.configuration, alone);
  Update update = step(event, now);
  std::swap(raft_.configuration, alone);
  raft_configuration_close(&alone);
  return update;
}

bool Core::Library::is_only_voter(const Configuration& configuration) const {
  const Server* server = find_server(configuration, self);
  return server != nullptr && server->suffrage == Suffrage::kVoter &&
         voter_count(configuration) == 1;
}

Core::Core(const Options& options) : library_(std::make_unique<Library>()) {
  EC_ASSERT(options.self != ServerId{0}, "Raft reserves server id 0");
  raft& r = library_->raft_;
  library_->self = options.self;
  const int rv = raft_init(&r, nullptr, nullptr, options.self.value,
                           std::to_string(options.self.value).c_str());
  EC_ASSERT(rv == 0, "the Raft core could not be initialised: out of memory");
  // The election timer draws from this state and from nothing else; its generator is stuck at 0.
  raft_seed(&r, static_cast<unsigned>(chain::Rng(options.seed).next()) | 1U);
  const auto election = static_cast<unsigned>(options.election_timeout.count());
  raft_set_election_timeout(&r, election);
  raft_set_heartbeat_timeout(&r, static_cast<unsigned>(options.heartbeat_interval.count()));
  raft_set_install_snapshot_timeout(&r, kInstallTimeoutFactor * election);
  raft_set_max_inflight_entries(&r, kInflightEntries);
  raft_set_pre_vote(&r, !chain::is_planted(chain::Mistake::kPreVoteOff));
}

Core::~Core() {
  raft_close(&library_->raft_, nullptr);
}

Update Core::start(const LogStore::Loaded& loaded, LogIndex applied, chain::Instant now) {
  HardState state = loaded.hard_state;
  Configuration newest;
  if (loaded.snapshot) newest = loaded.snapshot->meta.configuration;
  for (const auto& entry : loaded.entries) {
    if (entry.kind != EntryKind::kChange) continue;
    auto decoded = decode_configuration(entry.payload);
    EC_ASSERT(decoded.has_value(), "a stored configuration entry does not decode");
    newest = *decoded;
  }
  // An only voter makes itself leader inside the step, but in its old term: a leader of that term
  // may have existed before the others lost their vote, and two leaders would share it.
  const bool elects_itself = library_->is_only_voter(newest);
  if (elects_itself) state = {state.term.next(), library_->self};

  raft_event event{};
  event.type = RAFT_START;
  event.start.term = state.term.value;
  event.start.voted_for = state.voted_for.value;
  raft_snapshot_metadata metadata{};
  if (loaded.snapshot) {
    metadata = to_library(loaded.snapshot->meta);
    event.start.metadata = &metadata;
  }
  const LogIndex after_snapshot =
      loaded.snapshot ? loaded.snapshot->meta.index.next() : LogIndex{1};
  event.start.start_index = loaded.entries.empty() ? after_snapshot.value : loaded.first.value;
  EntryArray entries(loaded.entries);
  event.start.entries = entries.items.data();
  event.start.n_entries = entries.size();
  Update update = library_->step(event, now);
  raft_free(entries.batch);  // this event alone leaves the batch with us
  if (elects_itself) update.hard_state = state;

  // The library forgets how far it had committed; what is applied certainly was.
  EC_ASSERT(applied <= last_index(), "the state machine is ahead of the log");
  if (applied > commit_index()) library_->raft_.commit_index = applied.value;
  return update;
}

Update Core::receive(const Envelope& envelope, chain::Instant now) {
  const auto* append = std::get_if<AppendEntries>(&envelope.message);
  EntryArray entries(append == nullptr ? std::vector<Entry>{} : append->entries);
  const std::string address = std::to_string(envelope.from.value);
  raft_message message{};
  message.server_id = envelope.from.value;
  message.server_address = address.c_str();
  fill(message, entries, envelope.message);
  raft_event event{};
  event.type = RAFT_RECEIVE;
  event.receive.message = &message;
  const Term term_before = hard_state().term;
  const bool is_vote = std::holds_alternative<RequestVote>(envelope.message);
  Update update = is_vote ? library_->step_as_voter(event, now) : library_->step(event, now);
  answer_outdated(envelope.message, term_before, update);
  // A follower that enters a newer term without hearing its leader would keep the old term's.
  raft& r = library_->raft_;
  const bool is_from_leader =
      append != nullptr || std::holds_alternative<InstallSnapshot>(envelope.message);
  if (hard_state().term != term_before && r.state == RAFT_FOLLOWER && !is_from_leader)
    r.follower_state.current_leader.id = 0;
  return update;
}

// What a server answers to a message of an older term, where the library answers wrongly.
void Core::answer_outdated(const RaftMessage& to, Term term, Update& update) {
  const auto* append = std::get_if<AppendEntries>(&to);
  const auto* install = std::get_if<InstallSnapshot>(&to);
  const auto* vote = std::get_if<RequestVote>(&to);
  const bool is_outdated = (append != nullptr && append->term < term) ||
                           (install != nullptr && install->term < term) ||
                           (vote != nullptr && vote->pre_vote && vote->term < term);
  if (!is_outdated) return;
  for (auto& outgoing : update.messages) {
    // The library leaves this field as the stack had it; the newer term is all that counts.
    if (auto* result = std::get_if<AppendEntriesResult>(&outgoing.envelope.message))
      result->last_log_index = LogIndex{0};
    // R5. The library echoes the candidate's own term, so a candidate with the longest log and an
    // old term would be refused for ever, while those with newer terms have shorter logs.
    if (auto* result = std::get_if<RequestVoteResult>(&outgoing.envelope.message))
      result->term = term;
  }
}

Update Core::timeout(chain::Instant now) {
  raft& r = library_->raft_;
  // See start(): an only voter's election must open a term of its own.
  const bool elects_itself =
      r.state == RAFT_FOLLOWER && library_->is_only_voter(from_library(r.configuration));
  if (elects_itself) {
    r.current_term += 1;
    r.voted_for = r.id;
  }
  const bool is_leaderless = r.state == RAFT_FOLLOWER && to_ms(now) >= raft_timeout(&r);
  raft_event event{};
  event.type = RAFT_TIMEOUT;
  Update update = library_->step(event, now);
  if (elects_itself) update.hard_state = hard_state();
  // A voter becomes a candidate here and forgets its leader. Without a vote the library would
  // remember it for ever, and refuse every candidate on its behalf (see R6).
  if (is_leaderless && r.state == RAFT_FOLLOWER) r.follower_state.current_leader.id = 0;
  return update;
}

void Core::leader_lost(chain::Instant now) {
  raft& r = library_->raft_;
  if (r.state != RAFT_FOLLOWER || r.follower_state.current_leader.id == 0) return;
  r.follower_state.current_leader.id = 0;
  // The library drew between once and twice the timeout; what it drew above one still tells the
  // voters apart.
  const unsigned drawn = r.follower_state.randomized_election_timeout;
  const unsigned soon =
      r.election_timeout / kLostLeaderGrace + (drawn - r.election_timeout) / kLostLeaderSpread;
  if (raft_timeout(&r) > to_ms(now) + soon) r.election_timer_start = to_ms(now) + soon - drawn;
}

Update Core::persisted(LogIndex index, chain::Instant now) {
  raft_event event{};
  event.type = RAFT_PERSISTED_ENTRIES;
  event.persisted_entries.index = index.value;
  return library_->step(event, now);
}

Update Core::snapshot_persisted(const SnapshotMeta& meta, chain::Instant now) {
  raft_event event{};
  event.type = RAFT_PERSISTED_SNAPSHOT;
  event.persisted_snapshot.metadata = to_library(meta);
  event.persisted_snapshot.last = true;
  return library_->step(event, now);
}

Update Core::snapshot_taken(const SnapshotMeta& meta, std::uint64_t trailing, chain::Instant now) {
  raft_event event{};
  event.type = RAFT_SNAPSHOT;
  event.snapshot.metadata = to_library(meta);
  event.snapshot.trailing = static_cast<unsigned>(trailing);
  return library_->step(event, now);
}

Update Core::configuration_committed(LogIndex index, const Configuration& configuration,
                                     chain::Instant now) {
  raft_event event{};
  event.type = RAFT_CONFIGURATION;
  event.configuration.index = index.value;
  event.configuration.conf = to_library(configuration);
  return library_->step(event, now);
}

Update Core::submit(EntryKind kind, const Bytes& payload, chain::Instant now) {
  EntryArray entries({Entry{Term{library_->raft_.current_term}, kind, payload}});
  raft_event event{};
  event.type = RAFT_SUBMIT;
  event.submit.entries = entries.items.data();
  event.submit.n = entries.size();
  return library_->step(event, now);
}

Update Core::transfer(ServerId to, chain::Instant now) {
  raft_event event{};
  event.type = RAFT_TRANSFER;
  event.transfer.server_id = to.value;
  return library_->step(event, now);
}

Role Core::role() const {
  if (library_->raft_.state == RAFT_LEADER) return Role::kLeader;
  if (library_->raft_.state == RAFT_CANDIDATE) return Role::kCandidate;
  return Role::kFollower;
}

HardState Core::hard_state() const {
  return {Term{library_->raft_.current_term}, ServerId{library_->raft_.voted_for}};
}

std::optional<ServerId> Core::leader() const {
  const raft& r = library_->raft_;
  if (r.state == RAFT_LEADER) return library_->self;
  if (r.state != RAFT_FOLLOWER || r.follower_state.current_leader.id == 0) return std::nullopt;
  return ServerId{r.follower_state.current_leader.id};
}

LogIndex Core::commit_index() const {
  return LogIndex{library_->raft_.commit_index};
}
LogIndex Core::last_index() const {
  return LogIndex{raft_last_index(&library_->raft_)};
}

Term Core::term_of(LogIndex index) const {
  const raft_trail& trail = library_->raft_.trail;
  if (index.value != 0 && index.value == trail.snapshot.index) return Term{trail.snapshot.term};
  if (index.value <= trail.offset) return Term{0};
  for (unsigned i = trail.front; i != trail.back; i = (i + 1) % trail.size)
    if (index.value <= trail.records[i].index) return Term{trail.records[i].term};
  return Term{0};
}

std::optional<LogIndex> Core::match_index(ServerId id) const {
  raft_index index = 0;
  if (raft_match_index(&library_->raft_, id.value, &index) != 0) return std::nullopt;
  return LogIndex{index};
}

bool Core::is_transferring() const {
  return raft_transferee(&library_->raft_) != 0;
}

chain::Instant Core::deadline() const {
  return {std::chrono::milliseconds(raft_timeout(&library_->raft_))};
}

}  // namespace eventchain::consensus
