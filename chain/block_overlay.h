#pragma once

#include <unordered_map>

#include "chain/rules.h"

namespace eventchain::chain {

// What a block under way adds to the committed chain: the keys it has placed and the streams it has
// moved. Rules and assembler both ask it, so that they mean the same by "placed" and "reached".
// Lives for one block; reads the view at most once for each stream.
class BlockOverlay {
 public:
  explicit BlockOverlay(ChainView& view) : view_(view) {}

  [[nodiscard]] bool is_placed_before(const EventKey& key) { return view_.is_placed(key); }
  // The entry of this block with this key; null if there is none.
  [[nodiscard]] const EventFacts* placed_here(const EventKey& key) const {
    const auto found = placed_.find(key);
    return found == placed_.end() ? nullptr : &found->second;
  }

  StreamVersion version(const StreamKey& stream) {
    const auto [found, is_new] = versions_.try_emplace(stream);
    if (is_new) found->second = view_.stream_version(stream);
    return found->second;
  }

  // Gives the event the next version of its stream. Pre: its key is placed nowhere.
  StreamVersion place(const EventFacts& facts) {
    placed_.emplace(facts.key, facts);
    const StreamVersion given = version(facts.stream).next();
    versions_[facts.stream] = given;
    return given;
  }

 private:
  ChainView& view_;
  std::unordered_map<EventKey, EventFacts, FixedBytesHash> placed_;
  std::unordered_map<StreamKey, StreamVersion, FixedBytesHash> versions_;
};

}  // namespace eventchain::chain
