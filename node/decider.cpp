#include "node/decider.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chain/features.h"
#include "net/limits.h"

namespace eventchain::node {

namespace {

// Decisions whose bodies are asked for ahead of their turn.
constexpr std::size_t kPrefetchMax = 16;
// What was asked for or the leader sent: all that is asked for at a time, and the leader's for some
// blocks to come.
constexpr std::size_t kTrustedMax = kPrefetchMax + 8;
// What others pushed: what a peer has in hand and its predecessor, of some peers. What finds no
// room is asked for when it is needed.
constexpr std::size_t kPushedOfEachMax = 2;
constexpr std::size_t kPushedMax = 8;

// Whether a content on top of `state` is what the header promises, whatever the rules say of it.
bool is_content_of(const chain::ChainState& state, const chain::Template& made) {
  if (made.header.log_size - state.log.size() != made.content.entries.size()) return false;
  if (chain::annex_root(made.content.annex) != made.header.annex_root) return false;
  chain::LogTree log = state.log;
  for (const auto& entry : made.content.entries) log.append(chain::log_leaf(entry.commitment));
  return log.root() == made.header.log_root;
}

}  // namespace

void Decider::at(const chain::Now& now, std::optional<chain::NodeId> leader) {
  now_ = now;
  leader_ = leader;
}

void Decider::await_bodies(const chain::TemplateHash& hash,
                           const std::vector<chain::EntryRef>& missing) {
  Bodies& bodies = awaited_[hash];
  for (const auto& entry : missing) bodies.insert(entry.commitment);
  // Whoever sent proven blocks has applied them; a node outside Raft knows no leader.
  const bool is_hinted = leader_.has_value() || !proof_;
  fetcher_.want_events(missing, is_hinted ? leader_ : std::optional(proof_->from), now_);
}

bool Decider::awaits(const chain::EntryRef& entry) const {
  return std::ranges::any_of(
      awaited_, [&](const auto& one) { return one.second.contains(entry.commitment); });
}

void Decider::forget_awaited(const chain::TemplateHash& hash) {
  const auto node = awaited_.extract(hash);
  if (!node.empty()) release(node.mapped());
}

void Decider::release(const Bodies& bodies) {
  const auto is_in = [](const auto& wanted, const chain::Commitment& body) {
    return std::ranges::any_of(wanted, [&](const auto& one) { return one.second.contains(body); });
  };
  Bodies unneeded;
  for (const auto& body : bodies)
    if (!is_in(awaited_, body) && !is_in(prefetched_, body)) unneeded.insert(body);
  fetcher_.forget_events(unneeded);
}

void Decider::forget_unneeded() {
  std::optional<chain::TemplateHash> received;
  if (const auto next = received_.find(ledger_.state().height().next()); next != received_.end())
    received = chain::template_hash(next->second.block.sealed.header);
  const auto is_needed = [&](const chain::TemplateHash& hash) {
    return hash == adopting_ || hash == received || held_back_.contains(hash);
  };
  std::vector<Bodies> let_go;
  for (auto* wanted : {&awaited_, &prefetched_}) {
    for (auto it = wanted->begin(); it != wanted->end();) {
      if (is_needed(it->first)) {
        ++it;
        continue;
      }
      let_go.push_back(std::move(it->second));
      it = wanted->erase(it);
    }
  }
  for (const Bodies& bodies : let_go) release(bodies);
  fetcher_.keep_templates(is_needed);
}

CheckedRef Decider::adopt(const chain::TemplateHash& hash, const chain::TemplateHeader& header,
                          const chain::NodeId& from) {
  const bool is_another = std::exchange(adopting_, hash) != hash;
  CheckedRef checked = prepare(hash, header, from);
  // Not before: most of what one template lacks its successor lacks, too.
  if (is_another) forget_unneeded();
  return checked;
}

CheckedRef Decider::prepare(const chain::TemplateHash& hash, const chain::TemplateHeader& header,
                            const std::optional<Author>& author) {
  std::vector<Author> authors;
  if (author) authors.push_back(*author);
  if (CheckedRef checked = ledger_.checked(hash)) return checked;
  if (reported_ == hash || awaited_.contains(hash)) return nullptr;
  const chain::Verdict verdict = chain::check_header(ledger_.state(), header);
  if (!verdict.ok()) {
    // Whoever is a block ahead or behind has another parent, and did nothing wrong.
    if (verdict.rule == chain::Rule::kWrongParent) return nullptr;
    reported_ = hash;
    report(header, verdict, authors);
    return nullptr;
  }
  // A content that was checked before is better than one that only claims to be the same.
  const auto stored = ledger_.find_template(hash);
  const auto offered = offered_.find(hash);
  if (!stored && offered == offered_.end()) {
    fetcher_.want_template(hash, header.height, leader_, now_);
    return nullptr;
  }
  const chain::Template& candidate = stored ? *stored : offered->second.made;
  // What nothing is missing for is checked as a whole below.
  const auto missing = ledger_.missing(candidate.content);
  if (!missing.empty()) {
    if (!stored && !is_content_of(ledger_.state(), candidate)) {
      misled(hash, header);
    } else {
      fetcher_.forget_template(hash);  // whoever sent it
      await_bodies(hash, missing);
    }
    return nullptr;
  }
  Checked result = ledger_.check(candidate);
  if (!result.verdict.ok()) {
    // The header does not promise the keys of entries: those of their bodies are the right ones.
    const bool is_false = result.verdict.rule == chain::Rule::kKeyMismatch ||
                          !is_content_of(ledger_.state(), candidate);
    if (!stored && is_false) {
      misled(hash, header);
    } else {
      // What was stored passed every rule before: then it is this node that errs.
      if (stored) authors.clear();
      if (!stored && !offered->second.is_received) authors.emplace_back(offered->second.from);
      reported_ = hash;
      report(header, result.verdict, authors);
      offered_.erase(hash);
    }
    return nullptr;
  }
  // A decision on it may be let into the log in this turn, and rests on the content.
  ledger_.keep_template(candidate);
  offered_.erase(hash);
  fetcher_.forget_template(hash);
  return result.made;
}

// The header may be good all the same: somebody else has the content that belongs to it.
void Decider::misled(const chain::TemplateHash& hash, const chain::TemplateHeader& header) {
  const Offered offered = offered_.at(hash);
  forget_offered(hash);
  offences_.push_back({offered.from, "a content that does not belong to its header"});
  if (proof_ && proof_->from == offered.from) {
    give_up();
  } else if (!proof_ && offered.is_received && !received_.empty()) {
    received_.clear();  // on the way to a snapshot; asked for again
  } else {
    fetcher_.want_template(hash, header.height, leader_, now_);
  }
}

void Decider::forget_offered(const chain::TemplateHash& hash) {
  forget_awaited(hash);
  offered_.erase(hash);
}

CheckedRef Decider::examine(const chain::SealedHeader& sealed,
                            const std::optional<Author>& author) {
  CheckedRef checked = prepare(chain::template_hash(sealed.header), sealed.header, author);
  if (!checked) return nullptr;
  const chain::BlockId id = chain::block_id(sealed);
  if (reported_seal_ == id) return nullptr;
  const chain::Verdict verdict = chain::check_seal(ledger_.state(), digest_, sealed);
  if (verdict.ok()) return checked;
  // The template stays good: somebody else may seal it rightly.
  reported_seal_ = id;
  report(sealed.header, verdict, author ? std::vector{*author} : std::vector<Author>{});
  return nullptr;
}

bool Decider::is_reported(const chain::SealedHeader& sealed) const {
  return reported_ == chain::template_hash(sealed.header) ||
         reported_seal_ == chain::block_id(sealed);
}

// Once for a block, however often the leader repeats it.
void Decider::report(const chain::TemplateHeader& header, const chain::Verdict& verdict,
                     const std::vector<Author>& authors) {
  const chain::TemplateHash hash = chain::template_hash(header);
  const chain::Block* proven = proven_next();
  const bool is_proven = proven && chain::template_hash(proven->sealed.header) == hash;
  // What a majority certified is the truth to whoever hands it on: this node or the majority errs.
  if (!is_proven)
    for (const Author& author : authors)
      offences_.push_back(
          {author, fmt::format("a block that breaks a rule: {}", chain::to_string(verdict.rule))});
  outbox_.notice(Notice::Level::kError,
                 fmt::format("refused a block that breaks a rule height={} rule={}{}",
                             header.height.value, chain::to_string(verdict.rule),
                             is_proven ? " although a majority of voters certified it" : ""));
}

bool Decider::is_outdated() const {
  return !chain::can_follow(*ledger_.state().members, level_);
}

consensus::Admission::Answer Decider::admit(consensus::LogIndex, const consensus::Entry& entry,
                                            std::optional<consensus::ServerId> maker) {
  if (is_outdated()) return Answer::kNotYet;
  const auto sealed = consensus::decode_decision(entry);
  if (!sealed) return Answer::kNotYet;
  const auto& state = ledger_.state();
  switch (consensus::judge(*sealed, state.height(), state.tip)) {
    case consensus::Judgement::kRepeated:
    case consensus::Judgement::kStale:
      return Answer::kYes;  // changes nothing when it is committed
    case consensus::Judgement::kAhead:
      return Answer::kNotYet;
    case consensus::Judgement::kExtends: {
      held_back_.insert(chain::template_hash(sealed->header));  // until prefetch() tells all
      // What a leader of the past still wants at the height of a certified block is never
      // committed.
      const chain::Block* proven = proven_next();
      if (proven && proven->sealed != *sealed) return Answer::kNotYet;
      return examine(*sealed, maker) ? Answer::kYes : Answer::kNotYet;
    }
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
        // The content that was checked is in the store; whatever else peers offered under this hash
        // has no say any more.
        forget_offered(chain::template_hash(sealed->header));
        reported_ = {};
        reported_seal_ = {};
        const CheckedRef checked = examine(*sealed, std::nullopt);
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
  block.before = ledger_.state().members;
  block.settled = ledger_.apply(checked, sealed.seal, applied);
  block.id = ledger_.state().tip;
  block.log_size = ledger_.state().log.size();
  block.after = ledger_.state().members;
  for (const auto& item : checked.made.content.annex)
    if (const auto* order = std::get_if<chain::MemberOrder>(&item)) block.orders.push_back(*order);
  followed_at_ = now_.steady;
  const chain::Height tip = ledger_.state().height();
  if (proof_ && proof_->last.height <= tip) {
    if (proof_->last.id == block.id) block.certificate = std::move(proof_->certificate);
    proof_.reset();
  }
  applied_.push_back(std::move(block));
  reported_ = {};
  reported_seal_ = {};
  for (auto it = offered_.begin(); it != offered_.end();)
    it = it->second.made.header.height <= tip ? offered_.erase(it) : std::next(it);
  while (!received_.empty() && received_.begin()->first <= tip) received_.erase(received_.begin());
  prefetched_.erase(checked.hash);
  held_back_.erase(checked.hash);
  adopting_ = {};
  // They were on top of the tip before.
  for (const auto& [hash, bodies] : std::exchange(awaited_, {})) release(bodies);
  forget_unneeded();
}

consensus::Admission::Answer Decider::admit_snapshot(const consensus::Snapshot& snapshot) {
  const auto point = consensus::decode_chain_point(snapshot.bytes);
  if (!point || is_outdated()) return Answer::kNotYet;
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

// Applies what has arrived as far as it goes, then asks for what comes next towards a snapshot.
void Decider::catch_up() {
  while (!is_outdated() && (proof_ || awaits_snapshot())) {
    const chain::Height next = ledger_.state().height().next();
    const auto found = received_.find(next);
    if (found == received_.end()) {
      EC_ASSERT(!proof_, "what is proven reaches from the tip to its proof");
      const std::uint64_t behind = target_->height.value - ledger_.state().height().value;
      fetcher_.want_blocks(next,
                           static_cast<std::uint32_t>(
                               std::min<std::uint64_t>(behind, net::limits::kBlocksPerReplyMax)),
                           leader_, now_);
      return;
    }
    const chain::SealedHeader sealed = found->second.block.sealed;
    if (sealed.header.parent != ledger_.state().tip) {
      received_.clear();
      proof_.reset();  // who is ahead is asked again, and the two histories are compared
      return;
    }
    offer(chain::template_hash(sealed.header), found->second);
    std::optional<Author> author;
    if (!found->second.is_vouched) author = found->second.from;
    const CheckedRef checked = examine(sealed, author);
    if (!checked) {
      // Nothing but bodies is worth waiting for.
      if (!is_reported(sealed)) return;
      if (proof_) {
        give_up();
      } else if (author) {
        received_.clear();
      }
      return;
    }
    make_tip(*checked, sealed, ledger_.applied());
  }
}

void Decider::offer(const chain::TemplateHash& hash, const Received& received) {
  const chain::Block& block = received.block;
  const auto offered = offered_.find(hash);
  if (offered != offered_.end()) {
    if (offered->second.made.content == block.content) {
      offered->second.from = received.from;
      offered->second.is_received = true;
      return;
    }
    forget_offered(hash);  // who sent the block has applied it
  }
  offered_[hash] = {{block.sealed.header, block.content}, received.from, true, ++offers_, true};
}

const chain::Block* Decider::proven_next() const {
  if (!proof_) return nullptr;
  const auto found = received_.find(ledger_.state().height().next());
  return found == received_.end() ? nullptr : &found->second.block;
}

void Decider::follow(const net::BlocksReply& reply, Proof proof) {
  received_.clear();
  for (const auto& block : reply.blocks)
    if (block.sealed.header.height > ledger_.state().height())
      received_.emplace(block.sealed.header.height, Received{block, proof.from, true});
  proof_ = std::move(proof);
  followed_at_ = now_.steady;
  catch_up();
}

void Decider::go_on() {
  if (proof_) catch_up();
}

void Decider::give_up() {
  EC_ASSERT(proof_.has_value(), "there is something to give up");
  given_up_ = proof_->from;
  // A content whose bodies nobody sends may be one of which nobody has heard.
  if (const chain::Block* next = proven_next()) {
    const chain::TemplateHash hash = chain::template_hash(next->sealed.header);
    const auto offered = offered_.find(hash);
    if (offered != offered_.end() && offered->second.from == proof_->from) forget_offered(hash);
  }
  proof_.reset();
  received_.clear();
  forget_unneeded();
}

bool Decider::arrived(chain::Template made, const chain::NodeId& from) {
  if (made.header.height <= ledger_.state().height()) return false;
  const chain::TemplateHash hash = chain::template_hash(made.header);
  const bool is_trusted = from == leader_ || fetcher_.has_asked(from, hash);
  if (is_trusted) fetcher_.forget_template(hash);
  if (ledger_.checked(hash)) return false;
  if (const auto known = offered_.find(hash); known != offered_.end()) {
    if (!is_trusted) return false;
    if (known->second.made.content == made.content) {
      known->second.is_trusted = true;
      return false;
    }
    // It alone knows what it meant.
    if (known->second.from == leader_ && from != leader_) return false;
    forget_offered(hash);
  }
  make_room(from, is_trusted);
  offered_[hash] = {std::move(made), from, is_trusted, ++offers_, false};
  return true;
}

// For one that is about to come. Nobody takes room from what is trusted but what is trusted, too.
void Decider::make_room(const chain::NodeId& from, bool is_trusted) {
  const auto leave_less_than = [this](std::size_t max, const auto& is_in_question) {
    std::size_t count = 0;
    auto last = offered_.end();
    for (auto it = offered_.begin(); it != offered_.end(); ++it) {
      const Offered& one = it->second;
      if (!is_in_question(one)) continue;
      ++count;
      // The farthest ahead goes first, since it is needed last; of one height the oldest.
      if (last == offered_.end() || one.made.header.height > last->second.made.header.height ||
          (one.made.header.height == last->second.made.header.height &&
           one.number < last->second.number))
        last = it;
    }
    if (count >= max) offered_.erase(last);
  };
  if (is_trusted) {
    leave_less_than(kTrustedMax, [](const Offered& one) { return one.is_trusted; });
    return;
  }
  leave_less_than(kPushedOfEachMax,
                  [&](const Offered& one) { return !one.is_trusted && one.from == from; });
  leave_less_than(kPushedMax, [](const Offered& one) { return !one.is_trusted; });
}

bool Decider::arrived(const chain::EntryRef& entry) {
  bool is_awaited = false;
  bool is_complete = false;
  for (auto it = awaited_.begin(); it != awaited_.end();) {
    is_awaited = it->second.erase(entry.commitment) > 0 || is_awaited;
    is_complete = is_complete || it->second.empty();
    it = it->second.empty() ? awaited_.erase(it) : std::next(it);
  }
  if (is_awaited) followed_at_ = now_.steady;
  if (!is_complete) return false;
  if (target_ || proof_) catch_up();
  return true;
}

bool Decider::leads_to_target(const net::BlocksReply& reply) const {
  chain::BlockId tip = ledger_.state().tip;
  chain::Height height = ledger_.state().height();
  for (const auto& block : reply.blocks) {
    if (block.sealed.header.height <= height) continue;
    height = height.next();
    if (block.sealed.header.height != height || block.sealed.header.parent != tip) return false;
    tip = chain::block_id(block.sealed);
    if (height == target_->height) return tip == target_->id;
  }
  return false;
}

void Decider::arrived(const chain::NodeId& peer, const net::BlocksReply& reply) {
  if (!target_ || proof_) return;
  // That they obey the rules does not make them canonical: whoever does the work could send others.
  const bool is_vouched = leads_to_target(reply);
  if (leader_ != peer && !is_vouched) return;
  chain::Height height = reply.from;
  for (const auto& block : reply.blocks) {
    if (block.sealed.header.height == height && height > ledger_.state().height() &&
        received_.size() < net::limits::kBlocksPerReplyMax)
      received_.insert_or_assign(height, Received{block, peer, is_vouched});
    height = height.next();
  }
  catch_up();
}

void Decider::prefetch(const std::vector<consensus::Entry>& held_back) {
  struct Ahead {
    chain::TemplateHash hash;
    chain::Height height;
  };
  std::vector<Ahead> ahead;
  std::set<chain::TemplateHash> hashes;
  std::size_t looked_at = 0;
  for (const auto& entry : held_back) {
    if (entry.kind != consensus::EntryKind::kCommand) continue;
    if (++looked_at > kPrefetchMax) break;
    const auto sealed = consensus::decode_decision(entry);
    if (!sealed || sealed->header.height <= ledger_.state().height()) continue;
    ahead.push_back({chain::template_hash(sealed->header), sealed->header.height});
    hashes.insert(ahead.back().hash);
  }
  const bool is_other = std::exchange(held_back_, hashes) != hashes;
  for (const auto& [hash, height] : ahead) {
    if (prefetched_.contains(hash) || ledger_.checked(hash)) continue;
    const auto offered = offered_.find(hash);
    const auto stored = offered == offered_.end() ? ledger_.find_template(hash) : std::nullopt;
    if (!stored && offered == offered_.end()) {
      fetcher_.want_template(hash, height, leader_, now_);
    } else if (fetcher_.has_room_ahead()) {
      const auto missing = ledger_.missing(stored ? stored->content : offered->second.made.content);
      fetcher_.want_events(missing, leader_, now_);
      Bodies& bodies = prefetched_[hash];
      for (const auto& entry : missing) bodies.insert(entry.commitment);
    }
  }
  if (is_other) forget_unneeded();
}

}  // namespace eventchain::node
