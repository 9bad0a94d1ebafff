#include "node/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/limits.h"

namespace eventchain::node {

namespace {

// A leader has one template at a time; some room for its predecessors and for the next height.
constexpr std::size_t kOfferedMax = 16;
// Decisions whose bodies are asked for ahead of their turn.
constexpr std::size_t kPrefetchMax = 16;

}  // namespace

void Decider::at(const chain::Now& now, std::optional<chain::NodeId> leader) {
  now_ = now;
  leader_ = leader;
}

std::optional<chain::Template> Decider::find_template(const chain::TemplateHash& hash) {
  const auto offered = offered_.find(hash);
  if (offered != offered_.end()) return offered->second;
  return ledger_.find_template(hash);
}

bool Decider::await_bodies(const chain::BlockContent& content) {
  const auto missing = ledger_.missing(content);
  for (const auto& entry : missing) awaited_.insert(entry.commitment);
  fetcher_.want_events(missing, leader_, now_);
  return !missing.empty();
}

CheckedRef Decider::prepare(const chain::TemplateHash& hash, const chain::TemplateHeader& header) {
  if (CheckedRef checked = ledger_.checked(hash)) return checked;
  if (reported_ == hash || (awaited_for_ == hash && !awaited_.empty())) return nullptr;
  const auto candidate = find_template(hash);
  if (!candidate) {
    fetcher_.want_template(hash, header.height, leader_, now_);
    return nullptr;
  }
  awaited_.clear();
  awaited_for_ = hash;
  if (await_bodies(candidate->content)) return nullptr;
  Checked result = ledger_.check(*candidate);
  if (!result.verdict.ok()) {
    report(header, result.verdict);
    offered_.erase(hash);
    return nullptr;
  }
  // A decision on it may be let into the log in this turn, and rests on the content.
  ledger_.keep_template(*candidate);
  offered_.erase(hash);
  return result.made;
}

CheckedRef Decider::examine(const chain::SealedHeader& sealed) {
  CheckedRef checked = prepare(chain::template_hash(sealed.header), sealed.header);
  if (!checked) return nullptr;
  const chain::Verdict verdict = chain::check_seal(ledger_.state(), sealed);
  if (!verdict.ok()) {
    report(sealed.header, verdict);
    return nullptr;
  }
  return checked;
}

void Decider::report(const chain::TemplateHeader& header, const chain::Verdict& verdict) {
  const chain::TemplateHash hash = chain::template_hash(header);
  if (reported_ == hash) return;  // once for a block, however often the leader repeats it
  reported_ = hash;
  outbox_.notice(Notice::Level::kError,
                 fmt::format("refused a block that breaks a rule height={} rule={}",
                             header.height.value, chain::to_string(verdict.rule)));
}

consensus::Admission::Answer Decider::admit(consensus::LogIndex, const consensus::Entry& entry) {
  const auto sealed = consensus::decode_decision(entry);
  if (!sealed) return Answer::kNotYet;
  const auto& state = ledger_.state();
  switch (consensus::judge(*sealed, state.height(), state.tip)) {
    case consensus::Judgement::kRepeated:
    case consensus::Judgement::kStale:
      return Answer::kYes;  // changes nothing when it is committed
    case consensus::Judgement::kAhead:
      return Answer::kNotYet;
    case consensus::Judgement::kExtends:
      return examine(*sealed) ? Answer::kYes : Answer::kNotYet;
  }
  return Answer::kNotYet;
}

void Decider::apply(consensus::LogIndex index, const consensus::Entry& entry) {
  if (entry.kind == consensus::EntryKind::kCommand) {
    const auto sealed = consensus::decode_decision(entry);
    EC_ASSERT(sealed.has_value(), "the gate lets only decisions into the log");
    const auto& state = ledger_.state();
    switch (consensus::judge(*sealed, state.height(), state.tip)) {
      case consensus::Judgement::kExtends: {
        const CheckedRef checked = examine(*sealed);
        EC_ASSERT(checked != nullptr, "what is in the log was held and checked before");
        make_tip(*checked, *sealed, index);
        return;
      }
      case consensus::Judgement::kStale:
        ledger_.note_stale(*sealed, "its parent was not the tip when Raft committed it");
        break;
      case consensus::Judgement::kRepeated:
        break;
      case consensus::Judgement::kAhead:
        EC_ASSERT(false, "decisions are committed in the order of heights");
    }
  }
  ledger_.set_applied(index);
}

void Decider::make_tip(const CheckedTemplate& checked, const chain::SealedHeader& sealed,
                       consensus::LogIndex applied) {
  AppliedBlock block;
  block.sealed = sealed;
  block.members = ledger_.state().members;
  block.settled = ledger_.apply(checked, sealed.seal, applied);
  block.id = ledger_.state().tip;
  block.log_size = ledger_.state().log.size();
  applied_.push_back(std::move(block));
  awaited_.clear();
  awaited_for_ = {};
  reported_ = {};
  const chain::Height tip = ledger_.state().height();
  for (auto it = offered_.begin(); it != offered_.end();)
    it = it->second.header.height <= tip ? offered_.erase(it) : std::next(it);
  if (offered_.empty()) prefetched_.clear();
  while (!received_.empty() && received_.begin()->first <= tip) received_.erase(received_.begin());
}

consensus::Admission::Answer Decider::admit_snapshot(const consensus::Snapshot& snapshot) {
  const auto point = consensus::decode_chain_point(snapshot.bytes);
  if (!point) return Answer::kNotYet;
  if (ledger_.state().height() >= point->height) {
    if (ledger_.height_of(point->id) == point->height) {
      target_.reset();
      return Answer::kYes;
    }
    outbox_.notice(Notice::Level::kError,
                   fmt::format("the leader's snapshot names another block at height {}: one of "
                               "the two histories is wrong",
                               point->height.value));
    return Answer::kNotYet;
  }
  target_ = *point;
  catch_up();
  return ledger_.state().height() >= point->height ? admit_snapshot(snapshot) : Answer::kNotYet;
}

chain::Bytes Decider::take_snapshot() {
  return consensus::encode_chain_point({ledger_.state().height(), ledger_.state().tip});
}

void Decider::restore(const consensus::Snapshot& snapshot) {
  const auto point = consensus::decode_chain_point(snapshot.bytes);
  EC_ASSERT(point && ledger_.height_of(point->id) == point->height,
            "the gate lets a snapshot in only when the chain reaches it");
  ledger_.set_applied(snapshot.meta.index);
}

// Applies what has arrived as far as it goes, then asks for what comes next.
void Decider::catch_up() {
  while (target_ && ledger_.state().height() < target_->height) {
    const chain::Height next = ledger_.state().height().next();
    const auto found = received_.find(next);
    if (found == received_.end()) {
      const std::uint64_t behind = target_->height.value - ledger_.state().height().value;
      fetcher_.want_blocks(next,
                           static_cast<std::uint32_t>(
                               std::min<std::uint64_t>(behind, net::limits::kBlocksPerReplyMax)),
                           leader_, now_);
      return;
    }
    const chain::SealedHeader sealed = found->second.sealed;
    if (sealed.header.parent != ledger_.state().tip) {
      received_.clear();
      return;
    }
    const chain::TemplateHash hash = chain::template_hash(sealed.header);
    offered_.insert_or_assign(hash, chain::Template{sealed.header, found->second.content});
    const CheckedRef checked = examine(sealed);
    if (!checked) return;
    make_tip(*checked, sealed, ledger_.applied());
  }
}

bool Decider::arrived(chain::Template made) {
  if (made.header.height <= ledger_.state().height()) return false;
  const chain::TemplateHash hash = chain::template_hash(made.header);
  fetcher_.got_template(hash);
  if (ledger_.checked(hash)) return false;
  while (offered_.size() >= kOfferedMax) {
    // The farthest ahead goes first: it is needed last and is asked for again.
    const auto farthest =
        std::max_element(offered_.begin(), offered_.end(), [](const auto& a, const auto& b) {
          return a.second.header.height < b.second.header.height;
        });
    if (farthest->second.header.height <= made.header.height) return false;
    offered_.erase(farthest);
  }
  offered_.emplace(hash, std::move(made));
  return true;
}

bool Decider::arrived(const chain::EntryRef& entry) {
  if (awaited_.erase(entry.commitment) == 0 || !awaited_.empty()) return false;
  if (target_) catch_up();
  return true;
}

bool Decider::arrived(const net::BlocksReply& reply) {
  fetcher_.got_blocks();
  if (!target_) return false;
  chain::Height height = reply.from;
  for (const auto& block : reply.blocks) {
    if (block.sealed.header.height == height && height > ledger_.state().height() &&
        received_.size() < net::limits::kBlocksPerReplyMax)
      received_.insert_or_assign(height, block);
    height = height.next();
  }
  catch_up();
  return true;
}

void Decider::prefetch(const std::vector<consensus::Entry>& held_back) {
  std::size_t looked_at = 0;
  for (const auto& entry : held_back) {
    if (entry.kind != consensus::EntryKind::kCommand) continue;
    if (++looked_at > kPrefetchMax) return;
    const auto sealed = consensus::decode_decision(entry);
    if (!sealed || sealed->header.height <= ledger_.state().height()) continue;
    const chain::TemplateHash hash = chain::template_hash(sealed->header);
    if (prefetched_[hash] || ledger_.checked(hash)) continue;
    if (const auto known = find_template(hash)) {
      fetcher_.want_events(ledger_.missing(known->content), leader_, now_);
      prefetched_[hash] = true;
    } else {
      fetcher_.want_template(hash, sealed->header.height, leader_, now_);
    }
  }
}

}  // namespace eventchain::node
