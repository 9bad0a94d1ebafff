#include "chain/assembler.h"

#include <map>
#include <unordered_map>

#include "chain/block_overlay.h"

namespace eventchain::chain {

namespace {

// One pass over the pool. Placing comes first and judging last: a rejection speaks of the streams
// and keys as the whole block leaves them, whatever the order of arrival was.
class Pass {
 public:
  Pass(const Genesis& genesis, ChainView& view) : genesis_(genesis), overlay_(view) {}

  // Takes events in arrival order until one does not fit. A later, smaller one is not let past: it
  // could be of the same stream, and the one that did not fit could be passed by for ever. The
  // block that follows starts with it.
  void place_from(const PendingPool& pool) {
    for (const PendingEvent& pending : pool.in_order()) {
      if (is_full_) return;
      consider(pending);
    }
  }

  // Splits what was passed over into rejections, redundant variants and those that go on waiting.
  void judge(const SameContent& same_content,
             const std::function<std::optional<EventFacts>(const EventKey&)>& placed_facts,
             Instant now, std::chrono::nanoseconds wait, Assembly& assembly) {
    for (const Left& left : left_) {
      // The rest is judged in the next block. Comparing content reads bodies, so going on to look
      // for redundant variants alone would cost the same again with every template.
      if (assembly.facts.rejections.size() == kRejectionsMax) return;
      if (left.is_placed) continue;
      const EventFacts& facts = left.pending->facts;
      if (is_taken(facts.key)) {
        if (is_redundant(facts, same_content, placed_facts))
          assembly.redundant.push_back(facts.commitment);
        else
          reject(assembly, facts, RejectionReason::kKeyTaken, kEmptyStream);
        continue;
      }
      // Only events with an expectation, or with a key that is taken, are ever passed over.
      EC_ASSERT(facts.expected.has_value(), "an event was passed over for no reason");
      const StreamVersion reached = overlay_.version(facts.stream);
      if (*facts.expected < reached)
        reject(assembly, facts, RejectionReason::kVersionConflict, reached);
      else if (*facts.expected > reached && now - left.pending->since > wait)
        reject(assembly, facts, RejectionReason::kExpectationExpired, reached);
      // Equal: only room was lacking.
    }
  }

  [[nodiscard]] std::vector<EventFacts> take_entries() { return std::move(entries_); }

 private:
  // An event passed over so far.
  struct Left {
    const PendingEvent* pending;
    bool is_placed;
  };

  void consider(const PendingEvent& pending) {
    const EventFacts& facts = pending.facts;
    const StreamVersion current = overlay_.version(facts.stream);
    const bool is_due = !facts.expected.has_value() || *facts.expected == current;
    if (is_taken(facts.key) || !is_due) {
      if (facts.expected.has_value() && *facts.expected > current)
        waiting_[facts.stream][*facts.expected].push_back(left_.size());
      left_.push_back(Left{&pending, false});
      return;
    }
    // Each event placed may be the one that others were waiting for. Even if the block filled up
    // meanwhile, whoever waited keeps its claim: it arrived before all that the next block adds.
    if (!place(facts)) return;
    for (Left* next = find_waiting(facts.stream); next != nullptr;
         next = find_waiting(facts.stream)) {
      if (!place(next->pending->facts)) return;
      next->is_placed = true;
    }
  }

  // The first to arrive of those that expect the stream where it stands now.
  Left* find_waiting(const StreamKey& stream) {
    const auto of_stream = waiting_.find(stream);
    if (of_stream == waiting_.end()) return nullptr;
    const auto found = of_stream->second.find(overlay_.version(stream));
    if (found == of_stream->second.end()) return nullptr;
    for (const std::size_t index : found->second)
      if (!is_taken(left_[index].pending->facts.key)) return &left_[index];
    return nullptr;
  }

  bool place(const EventFacts& facts) {
    is_full_ = entries_.size() == genesis_.block_events_max ||
               facts.body_bytes > genesis_.block_bytes_max - bytes_;
    if (is_full_) return false;
    bytes_ += facts.body_bytes;
    overlay_.place(facts);
    entries_.push_back(facts);
    return true;
  }

  [[nodiscard]] bool is_taken(const EventKey& key) {
    return overlay_.placed_here(key) != nullptr || overlay_.is_placed_before(key);
  }

  bool is_redundant(const EventFacts& facts, const SameContent& same_content,
                    const std::function<std::optional<EventFacts>(const EventKey&)>& placed_facts) {
    if (const EventFacts* here = overlay_.placed_here(facts.key)) return same_content(facts, *here);
    // Without the placed body (it may be erased) nobody can show that this is the same event.
    const std::optional<EventFacts> before = placed_facts(facts.key);
    return before.has_value() &&
           (before->commitment == facts.commitment || same_content(facts, *before));
  }

  static void reject(Assembly& assembly, const EventFacts& facts, RejectionReason reason,
                     StreamVersion reached) {
    assembly.made.content.annex.emplace_back(
        Rejection{facts.key, facts.commitment, reason, reached});
    assembly.facts.rejections.push_back(facts);
  }

  const Genesis& genesis_;
  BlockOverlay overlay_;
  std::vector<EventFacts> entries_;
  std::uint64_t bytes_ = 0;
  bool is_full_ = false;
  std::vector<Left> left_;  // in arrival order
  // Indices into left_ of the events that expect this version of this stream, in arrival order.
  using Expectations = std::map<StreamVersion, std::vector<std::size_t>>;
  std::unordered_map<StreamKey, Expectations, FixedBytesHash> waiting_;
};

void place_orders(const ChainState& state, const std::vector<MemberOrder>& orders, UnixMillis time,
                  Assembly& result) {
  MemberChange change(state.members, state.height().next(), time);
  for (const MemberOrder& order : orders) {
    if (result.orders.size() == kOrdersMax) return;
    MemberOrder placed = order;
    // The slot that was asked for may have been given in the meantime.
    if (auto* admit = std::get_if<Admit>(&placed.what)) admit->member.slot = change.free_slot();
    result.orders.push_back(change.apply(placed));
    if (result.orders.back()) result.made.content.annex.emplace_back(std::move(placed));
  }
}

}  // namespace

Assembly assemble(const ChainState& state, ChainView& view, const PendingPool& pool,
                  const SameContent& same_content,
                  const std::function<std::optional<EventFacts>(const EventKey&)>& placed_facts,
                  UnixMillis started, UnixMillis time, Instant now, const AssemblerOptions& options,
                  const std::vector<MemberOrder>& orders) {
  EC_ASSERT(state.tip_header.seal.sealed_at <= started && started <= time,
            "the block clock never runs backwards");
  Pass pass(state.genesis, view);
  pass.place_from(pool);
  Assembly result;
  if (!orders.empty()) place_orders(state, orders, time, result);
  pass.judge(same_content, placed_facts, now, options.expectation_wait, result);
  result.facts.entries = pass.take_entries();

  BlockContent& content = result.made.content;
  LogTree log = state.log;
  content.entries.reserve(result.facts.entries.size());
  for (const EventFacts& facts : result.facts.entries) {
    content.entries.push_back(EntryRef{facts.key, facts.commitment});
    log.append(log_leaf(facts.commitment));
  }
  TemplateHeader& header = result.made.header;
  header.chain = state.chain;
  header.height = state.height().next();
  header.parent = state.tip;
  header.log_size = log.size();
  header.log_root = log.root();
  header.history_root = state.history.root();
  header.annex_root = annex_root(content.annex);
  header.started = started;
  header.time = time;
  header.share_target = required_target(state.genesis, state.tip_header, started, time);
  header.share_count = state.genesis.share_count;
  header.member_set = state.member_set;
  return result;
}

}  // namespace eventchain::chain
