#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "chain/block.h"
#include "chain/event.h"

namespace eventchain::sim {

// What was ever submitted: two submissions with the same body are one content, whatever their
// salts.
using ContentId = chain::Strong<struct ContentIdTag, std::uint32_t>;

struct Submitted {
  chain::EventFacts facts;
  ContentId content;
};

class Registry {
 public:
  // Salts and commits to a body as a node's API does, and remembers it.
  chain::HeldEvent submit(const chain::Salt& salt, const chain::Bytes& body);

  // nullptr: nobody ever submitted it.
  [[nodiscard]] const Submitted* find(const chain::Commitment& commitment) const;
  // How many different contents were submitted under a key.
  [[nodiscard]] std::size_t contents_of(const chain::EventKey& key) const;
  // Every variant of a content: the same body under different salts.
  [[nodiscard]] const std::vector<chain::EntryRef>& variants_of(ContentId content) const {
    return variants_[content.value];
  }
  [[nodiscard]] std::size_t submissions() const { return submitted_.size(); }

 private:
  std::unordered_map<chain::Commitment, Submitted, chain::FixedBytesHash> submitted_;
  std::unordered_map<chain::Bytes, ContentId> contents_;
  std::vector<std::vector<chain::EntryRef>> variants_;  // by content
  std::unordered_map<chain::EventKey, std::vector<ContentId>, chain::FixedBytesHash> by_key_;
};

}  // namespace eventchain::sim
