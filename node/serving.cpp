#include "node/serving.h"

#include <algorithm>

namespace eventchain::node {

void Serving::Left::read(std::size_t octets) {
  bytes -= std::min(bytes, octets);
}

void Serving::Left::looked_up(std::size_t count) {
  lookups -= std::min(lookups, count);
}

Serving::Left* Serving::begin(const chain::NodeId& peer) {
  Left& left = peers_[peer];
  if (left.requests == 0 || !left.may_look_up() || left.bytes == 0) {
    ++dropped_;
    return nullptr;
  }
  --left.requests;
  return &left;
}

}  // namespace eventchain::node
