#pragma once

#include <cstdint>
#include <vector>

#include "chain/bytes.h"
#include "chain/history.h"
#include "chain/result.h"
#include "consensus/types.h"
#include "store/chain_store.h"

// What is packed into one column. README.md has the layouts. Decoders refuse what no encoder wrote.
namespace eventchain::store {

// Arrival numbers: the difference of each to the one before, zigzag, 7 bits an octet, low first.
chain::Bytes pack_arrivals(const std::vector<std::uint64_t>& arrivals);
chain::Result<std::vector<std::uint64_t>> unpack_arrivals(chain::ByteView bytes);
// Without unpacking.
std::uint64_t count_arrivals(chain::ByteView bytes);

chain::Bytes pack_hashes(const std::vector<chain::Hash>& hashes);
chain::Result<std::vector<chain::Hash>> unpack_hashes(chain::ByteView bytes);
chain::Bytes pack_history(const std::vector<chain::HistoryNode>& nodes);
chain::Result<std::vector<chain::HistoryNode>> unpack_history(chain::ByteView bytes);

chain::Bytes pack_configuration(const consensus::Configuration& configuration);
chain::Result<consensus::Configuration> unpack_configuration(chain::ByteView bytes);

// The value, or a StoreFailure with the error's text: for what the node cannot go on without.
template <class Value>
Value or_failure(chain::Result<Value> result) {
  if (!result) throw StoreFailure("the database is damaged: " + result.error().message);
  return std::move(*result);
}

}  // namespace eventchain::store
