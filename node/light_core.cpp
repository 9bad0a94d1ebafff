#include "node/light_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chain/features.h"
#include "net/limits.h"

namespace eventchain::node {

namespace {

// Between two questions to a peer that could not prove what it claims; doubles up to the last.
constexpr std::chrono::milliseconds kNothingFirst{500};
constexpr std::chrono::milliseconds kNothingLast{8000};
// With nobody to ask there is nothing to wake for.
constexpr std::chrono::seconds kIdle{5};

}  // namespace

LightCore::LightCore(const LightOptions& options, store::LightStore& store)
    : options_(options),
      chain_(store, *options.signing, options.digest),
      members_(chain_.state().members, options.self, options.feature_level),
      work_(chain_, members_, outbox_, options.mines) {}

void LightCore::start(const chain::Now& now) {
  now_ = now;
  tip_since_ = now.steady;
  check_kind();
}

void LightCore::handle(const chain::Now& now, Input input) {
  now_ = now;
  if (end_) return;
  std::visit([this](const auto& one) { on(one); }, input);
  ask_if_due();
}

Machine::Step LightCore::step(const chain::Now& now) {
  now_ = now;
  if (end_) return {{}, now.steady};
  ask_if_due();
  return {outbox_.take_ahead(), now.steady};
}

Effects LightCore::take_effects() {
  Effects effects = outbox_.take();
  if (end_) return {{}, {*end_}};
  return effects;
}

chain::Instant LightCore::next_wakeup() const {
  if (end_) return now_.steady + kIdle;
  if (question_) return question_->until;
  chain::Instant next = now_.steady + kIdle;
  for (const auto& [peer, claim] : claims_) next = std::min(next, claim.again);
  return next;
}

// --- clients: the API answers before they come here, and whoever asks all the same is answered
// ----

void LightCore::on(const ClientSubmit& input) {
  Answer answer{input.request, {}, false};
  for (const auto& event : input.events) {
    EventOutcome outcome;
    outcome.key = event.facts.key;
    outcome.state = EventOutcome::State::kDiskFull;
    answer.outcomes.push_back(outcome);
  }
  outbox_.add(std::move(answer));
}

void LightCore::on(const ClientAsksPending& input) {
  outbox_.add(PendingAnswer{input.request, std::nullopt});
}

void LightCore::on(const ClientReads& input) {
  outbox_.add(ReadReady{input.request, false});
}

void LightCore::on(const ClientOrders& input) {
  outbox_.add(OrderAnswer{input.request, net::OrderOutcome::kRefused,
                          "this node is a light member and hands no orders on; ask a voter",
                          chain::Height{}});
}

// --- links
// ----------------------------------------------------------------------------------------

void LightCore::on(const PeerUp& input) {
  if (conduct_.is_shunned(input.peer, now_.steady)) {
    outbox_.add(HangUp{input.peer, "shunned"});
    return;
  }
  const chain::Member* member = members_.find(input.peer);
  if (member != nullptr && member->store != input.store) {
    outbox_.add(HangUp{input.peer, "it has another disk than the member list names"});
    return;
  }
  if (members_.is_light(input.peer)) {
    outbox_.add(HangUp{input.peer, "light members have nothing to tell each other"});
    return;
  }
  members_.link_up(input.peer, input.feature_level);
  dismissal_.linked(input.peer);
  work_.peer_up(input.peer);
}

void LightCore::on(const PeerDown& input) {
  link_lost(input.peer);
}

void LightCore::on(const PeerRefused& input) {
  dismissal_.refused(input.peer, input.as_of);
  if (dismissal_.is_certain(members_, chain_.state().height())) outbox_.add(Removed{});
}

void LightCore::link_lost(const chain::NodeId& peer) {
  members_.link_down(peer);
  claims_.erase(peer);
  peer_tips_.erase(peer);
  work_.peer_down(peer);
  if (question_ && question_->peer == peer) question_.reset();
}

void LightCore::on(const PeerSaid& input) {
  if (!members_.is_linked(input.peer)) return;  // it was hung up on
  std::visit([&](const auto& message) { said(input.peer, message); }, input.message);
}

void LightCore::fault(const chain::NodeId& peer, const std::string& what) {
  ++counters_.peer_faults;
  const chain::Member* member = members_.find(peer);
  outbox_.notice(Notice::Level::kWarning,
                 fmt::format("peer sent what it should not peer={} what=\"{}\"",
                             member != nullptr ? member->name : "?", what));
  if (!conduct_.fault(peer, Conduct::Fault::kBroken, what, now_.steady)) return;
  outbox_.add(HangUp{peer, "shunned: " + what});
  link_lost(peer);
}

// --- following
// --------------------------------------------------------------------------------------

void LightCore::said(const chain::NodeId& peer, const net::TipSaid& message) {
  peer_tips_[peer] = message.height;
  claims(peer, message.height, now_.steady + kGrace, false);
}

void LightCore::said(const chain::NodeId& peer, const net::Signatures& message) {
  if (message.signatures.size() >= chain::certificate_quorum(members_.set()))
    claims(peer, message.height, now_.steady, true);
}

void LightCore::claims(const chain::NodeId& peer, chain::Height height, chain::Instant ask_at,
                       bool has_proof) {
  if (height <= chain_.state().height()) return;
  const auto [found, is_new] = claims_.try_emplace(peer, Claim{height, ask_at});
  if (is_new) return;
  Claim& claim = found->second;
  // Nothing that it had not claimed, and could not prove.
  if (!has_proof && height <= claim.height && claim.wait.count() != 0) return;
  claim.height = std::max(claim.height, height);
  claim.wait = {};
  claim.again = std::min(claim.again, ask_at);
}

std::optional<chain::NodeId> LightCore::pick() const {
  std::optional<chain::NodeId> first;
  for (const auto& [peer, claim] : claims_) {
    if (claim.again > now_.steady) continue;
    if (asked_last_ && peer > *asked_last_) return peer;
    if (!first) first = peer;
  }
  return first;
}

void LightCore::ask_if_due() {
  if (question_) return;
  const auto peer = pick();
  if (!peer) return;
  const chain::Height tip = chain_.state().height();
  const std::uint64_t count = std::min<std::uint64_t>(claims_.at(*peer).height.value - tip.value,
                                                      net::limits::kHeadersPerReplyMax);
  question_ = Question{*peer, tip.next(), now_.steady + kAnswerWithin};
  asked_last_ = peer;
  outbox_.send(*peer, net::HeadersRequest{tip.next(), static_cast<std::uint32_t>(count)});
}

void LightCore::on(const Woke&) {
  if (!question_ || question_->until > now_.steady) return;
  found_nothing(std::exchange(question_, std::nullopt)->peer);
}

void LightCore::found_nothing(const chain::NodeId& peer) {
  const auto found = claims_.find(peer);
  if (found == claims_.end()) return;
  Claim& claim = found->second;
  claim.wait = claim.wait.count() == 0 ? kNothingFirst : std::min(claim.wait * 2, kNothingLast);
  claim.again = now_.steady + claim.wait;
}

// Pre: it is proven, and begins at the next height.
void LightCore::tell_of_fork(const net::HeadersReply& reply) {
  const chain::HeaderState& state = chain_.state();
  outbox_.notice(Notice::Level::kError,
                 fmt::format("a majority of voters certified another history than this node's "
                             "height={}: one of the two is wrong",
                             state.height().value));
  Evidence evidence{state.tip_header, chain_.certificate(), {}, reply.certificate, state.members};
  for (const chain::LightBlock& block : reply.blocks) evidence.others.push_back(block.sealed);
  outbox_.add(std::move(evidence));
}

void LightCore::said(const chain::NodeId& peer, const net::HeadersReply& message) {
  // What comes when it was given up is not worth a second look: somebody else was asked.
  if (!question_ || question_->peer != peer || question_->from != message.from) return;
  question_.reset();
  if (message.blocks.empty()) return found_nothing(peer);
  const HeaderChain::Taken taken = chain_.take(message);
  if (!taken.wrong.empty()) return fault(peer, taken.wrong);
  if (taken.is_fork) {
    found_nothing(peer);
    if (!std::exchange(was_told_of_fork_, true)) tell_of_fork(message);
    return;
  }
  applied(taken.applied);
}

void LightCore::applied(const std::vector<chain::SealedHeader>& blocks) {
  was_told_of_fork_ = false;
  if (!blocks.empty()) tip_since_ = now_.steady;
  counters_.blocks_committed += blocks.size();
  for (const auto& block : blocks) recent_shares_.add(block);
  if (chain_.state().members != members_.set_ref()) members_changed();
  std::erase_if(claims_,
                [this](const auto& one) { return one.second.height <= chain_.state().height(); });
  for (const auto& [peer, wrong] : work_.tip_moved()) fault(peer, wrong);
  const chain::SealedHeader& tip = chain_.state().tip_header;
  outbox_.add(
      TipMoved{tip.header.height, chain_.state().tip, tip.header.log_size, 0, tip.seal.sealed_at});
}

void LightCore::members_changed() {
  const bool was_member = members_.self() != nullptr;
  members_.update(chain_.state().members);
  outbox_.add(MembersChanged{chain_.state().members, chain_.state().height(), {}});
  if (was_member && members_.self() == nullptr) outbox_.add(Removed{});
  check_kind();
}

// What this program cannot follow, and what it is not meant to be. The shell takes its time to end
// a program that is too old: until then it must not read or say what belongs to the higher level.
void LightCore::check_kind() {
  if (const auto can = chain::check_program(members_.set(), options_.feature_level); !can) {
    end_ = Outdated{can.error().message};
    return;
  }
  const chain::Member* self = members_.self();
  if (self == nullptr || self->role == chain::MemberRole::kLight) return;
  outbox_.add(WrongKind{fmt::format(
      "node.light is true, but the cluster knows this node as {}; set node.light = false and let "
      "it "
      "start with a new data directory, or remove the member and let it join anew with the role "
      "light",
      chain::to_string(self->role))});
}

void LightCore::said(const chain::NodeId& peer, const net::TemplateHeaderPush& message) {
  const std::string wrong = work_.pushed(peer, message.header);
  if (!wrong.empty()) fault(peer, wrong);
}

NodeStatus LightCore::status() const {
  const chain::HeaderState& chain = chain_.state();
  NodeStatus status;
  status.node = members_.self_id();
  status.name = members_.self() != nullptr ? members_.self()->name : std::string();
  status.chain = chain.chain;
  status.chain_name = chain.genesis.name;
  status.is_light = true;
  status.feature_level = members_.set().feature_level;
  status.program_level = options_.feature_level;
  status.ready = !members_.linked().empty();
  status.tip_age = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::max(now_.steady - tip_since_, std::chrono::nanoseconds(0)));
  status.block_interval = std::chrono::milliseconds(chain.genesis.interval_ms);
  status.height = chain.height();
  status.tip = chain.tip;
  status.log_size = chain.tip_header.header.log_size;
  status.certified = chain.height();
  status.total_work = chain.history.total_work();
  if (const chain::TemplateHeader* in_hand = work_.in_hand()) {
    status.working_on = in_hand->height;
    status.in_work = *in_hand;
    status.shares_found = work_.share_count();
    status.shares_needed = in_hand->share_count;
  }
  status.intake_open = false;
  for (const auto& member : members_.all()) {
    if (member.node == status.node || member.role == chain::MemberRole::kLight) continue;
    PeerStatus peer{member.node, member.name, members_.is_linked(member.node)};
    if (const Conduct::Record* record = conduct_.find(member.node)) {
      peer.faults = record->faults;
      peer.last_fault = record->last;
      peer.shunned = conduct_.is_shunned(member.node, now_.steady);
    }
    if (const auto tip = peer_tips_.find(member.node); tip != peer_tips_.end())
      peer.tip = tip->second;
    peer.program_level = members_.level_of(member.node);
    status.peers.push_back(std::move(peer));
  }
  status.counters = counters_;
  status.counters.templates_adopted = work_.taken_up();
  status.counters.own_shares = work_.shares();
  status.recent_shares = recent_shares_.sum();
  return status;
}

}  // namespace eventchain::node
