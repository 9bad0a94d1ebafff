#pragma once

#include "chain/flat_map.h"
#include "chain/rules.h"

namespace eventchain::chain {

// What a block under way adds to the committed chain: the keys it has placed and the streams it has
// moved. Rules and assembler both ask it, so that they mean the same by "placed" and "reached".
// Lives for one block; reads the view at most once for each stream. Keeps pointers to the facts it
// is given: they must stay where they are.
class BlockOverlay {
 public:
  // `expected`: entries that the block will have, as far as that is known.
  explicit BlockOverlay(ChainView& view, std::size_t expected = 0)
      : view_(view), placed_(expected) {}

  [[nodiscard]] bool is_placed_before(const EventKey& key) { return view_.is_placed(key); }
  // The entry of this block with this key; null if there is none.
  [[nodiscard]] const EventFacts* placed_here(const EventKey& key) const {
    const EventFacts* const* found = placed_.find(key);
    return found == nullptr ? nullptr : *found;
  }

  StreamVersion version(const StreamKey& stream) { return reached(stream); }

  // Gives the event the next version of its stream. Pre: its key is placed nowhere.
  StreamVersion place(const EventFacts& facts) {
    placed_.try_emplace(facts.key, &facts);
    return move_stream(facts.stream);
  }

  // For a block that is checked: once through it for the keys, then once for the streams, so that
  // the processor waits for many of the committed chain's keys at the same time.
  // False if the key is placed already, here or before.
  bool take_key(const EventFacts& facts) {
    return placed_.try_emplace(facts.key, &facts).second && !is_placed_before(facts.key);
  }
  StreamVersion move_stream(const StreamKey& stream) {
    StreamVersion& version = reached(stream);
    version = version.next();
    return version;
  }

 private:
  StreamVersion& reached(const StreamKey& stream) {
    const auto [version, is_new] = versions_.try_emplace(stream);
    if (is_new) *version = view_.stream_version(stream);
    return *version;
  }

  ChainView& view_;
  FlatMap<EventKey, const EventFacts*> placed_;
  FlatMap<StreamKey, StreamVersion> versions_;
};

}  // namespace eventchain::chain
