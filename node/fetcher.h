#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>
#include <vector>

#include "chain/rng.h"
#include "net/limits.h"
#include "node/gossip.h"
#include "node/members.h"
#include "node/outbox.h"

namespace eventchain::node {

// Who is asked for what this node lacks, and when: one outstanding request per thing, first the
// peer that is known to have it, after a while somebody else. Owned by the node's core. Pure: time
// and links are handed in.
class Fetcher {
 public:
  static constexpr std::size_t kAnnouncedMax = 16'384;
  static constexpr int kAnnouncedTries = 6;  // each waits twice as long as the one before
  // Bodies that a block needs are asked for again after 300 ms twice, then ever more rarely; a peer
  // that has sent a part of what it was asked for is not counted as one that sent nothing.
  static constexpr int kDoublingsMax = 5;  // to 9.6 s
  // Templates and blocks come in answers of some 3 MiB, for which a slow link takes seconds: asked
  // for anew every moment they would never get through.
  static constexpr std::chrono::seconds kLargeFirst{2};
  static constexpr std::chrono::seconds kLargeLast{64};

  Fetcher(const Members& members, Outbox& outbox, Gossip& gossip, chain::Rng rng)
      : members_(members), outbox_(outbox), gossip_(gossip), rng_(rng) {}

  // Each want is idempotent; `hint`: a peer that said it has it. What Gossip has asked for already
  // is waited for like what was asked for here.
  void want_template(const chain::TemplateHash& hash, chain::Height height,
                     std::optional<chain::NodeId> hint, const chain::Now& now);
  void want_events(const std::vector<chain::EntryRef>& entries, std::optional<chain::NodeId> hint,
                   const chain::Now& now);
  // Whether bodies may be wanted that no block on top of the tip needs.
  [[nodiscard]] bool has_room_ahead() const;
  // Events that a peer says it has. Nothing needs them yet, so they are asked for a few times and
  // then forgotten, and a peer has no more than kAnnouncedMax of them open.
  void announced(const std::vector<chain::EntryRef>& entries, const chain::NodeId& peer,
                 const chain::Now& now);
  // Committed blocks from `from` on, fewer where that many did not come in time before; replaces
  // the previous wish for blocks.
  void want_blocks(chain::Height from, std::uint32_t count, std::optional<chain::NodeId> hint,
                   const chain::Now& now);

  // What others push does not end a wish, but for what this peer was asked for.
  [[nodiscard]] bool has_asked(const chain::NodeId& peer, const chain::TemplateHash& hash) const;
  void forget_template(const chain::TemplateHash& hash) { templates_.erase(hash); }
  // Who announced it, if that is why it is asked for: the first, or the first voter that did.
  [[nodiscard]] std::optional<chain::NodeId> announcer(const chain::EntryRef& entry) const;
  // False if nobody asked for it.
  bool got_event(const chain::EntryRef& entry);
  [[nodiscard]] bool wants(const chain::EntryRef& entry) const {
    return events_.contains(entry.commitment);
  }
  [[nodiscard]] bool wants(const chain::ShortId& id) const;
  // False if this peer was not asked for blocks from there on; or has none, and somebody else was
  // asked since.
  bool got_blocks(chain::Height from, const chain::NodeId& peer, bool has_any);
  [[nodiscard]] bool wants_blocks() const { return blocks_.has_value(); }
  void forget_blocks() { blocks_.reset(); }
  // All others are not needed any more.
  void keep_templates(const std::function<bool(const chain::TemplateHash&)>& is_needed);
  // Bodies that no block needs after all.
  void forget_events(const std::unordered_set<chain::Commitment, chain::FixedBytesHash>& entries);
  // What was asked for in vain for long is asked for again soon.
  void peer_up(const chain::Now& now);
  // Asks again for what did not come; call when next_deadline() has passed or a link came up.
  // `is_settled` tells that an event needs no fetching any more: its key has a position.
  void retry(const chain::Now& now, const std::function<bool(const chain::EntryRef&)>& is_settled);
  void peer_down(const chain::NodeId& peer);
  // May be early after an arrival; never late.
  [[nodiscard]] std::optional<chain::Instant> next_deadline() const { return deadline_; }

 private:
  struct Asked {
    std::optional<chain::NodeId> peer;  // nullopt: nobody to ask at the moment
    chain::Instant again;
  };
  struct Template {
    chain::Height height;
    Asked asked;
    std::optional<chain::NodeId> hint;
    std::set<chain::NodeId> asked_of;  // everybody whose answer may still come
    int tries = 1;
  };
  struct Event {
    chain::EntryRef entry;
    Asked asked;
    std::optional<chain::NodeId> announcer;  // nullopt: a block needs it
    int tries = 1;                           // in vain, all but the last
  };
  struct Blocks {
    chain::Height from;
    std::uint32_t count;
    Asked asked;
    std::set<chain::NodeId> asked_of;  // everybody whose answer may still come
    int tries = 1;
  };

  std::optional<chain::NodeId> pick(std::optional<chain::NodeId> avoid);
  Asked ask(std::optional<chain::NodeId> hint, std::optional<chain::NodeId> avoid,
            const chain::Now& now);
  // The same for what is large: each try waits twice as long as the one before.
  Asked ask_for_large(std::optional<chain::NodeId> hint, std::optional<chain::NodeId> avoid,
                      int tries, const chain::Now& now);
  void ask_for_fewer_blocks();
  // Send what is asked for to who is asked, if anybody is.
  void request(const chain::TemplateHash& hash, Template& wanted);
  void request(Blocks& wanted);
  void due_at(const Asked& asked);
  std::map<chain::Commitment, Event>::iterator forget(
      std::map<chain::Commitment, Event>::iterator event);
  void send_event_requests(const std::map<chain::NodeId, std::vector<chain::EntryRef>>& by_peer);

  const Members& members_;
  Outbox& outbox_;
  Gossip& gossip_;
  chain::Rng rng_;
  std::map<chain::TemplateHash, Template> templates_;
  std::map<chain::Commitment, Event> events_;
  std::map<chain::NodeId, std::size_t> announced_;  // open ones, by announcer
  std::set<chain::NodeId> answering_;  // sent bodies that they were asked for since the last retry
  std::optional<Blocks> blocks_;
  std::uint32_t blocks_at_once_ = net::limits::kBlocksPerReplyMax;  // as many as came in time
  std::optional<chain::Instant> deadline_;
};

}  // namespace eventchain::node
