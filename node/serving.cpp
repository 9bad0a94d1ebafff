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
  return take(left, left.requests, left.lookups > 0);
}

Serving::Left* Serving::begin_search(const chain::NodeId& peer) {
  Left& left = peers_[peer];
  return take(left, left.requests, left.may_look_up());
}

Serving::Left* Serving::begin_announcement(const chain::NodeId& peer) {
  Left& left = peers_[peer];
  return take(left, left.announcements, left.may_look_up());
}

Serving::Left* Serving::take(Left& left, std::size_t& count, bool may) {
  if (!may || count == 0 || left.bytes == 0) {
    ++dropped_;
    return nullptr;
  }
  --count;
  return &left;
}

}  // namespace eventchain::node
