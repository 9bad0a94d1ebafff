#pragma once

#include <cstddef>

#include "net/messages.h"

namespace eventchain::net {

// Octets of memory that a message takes: the object and all that it owns, as they were reserved,
// with what the heap adds. Never less than is taken, because bounds of queues rest on it; a frame
// of small items becomes several times its own size. Costs a visit of each item that owns
// something.
std::size_t held_bytes(const Message& message);

}  // namespace eventchain::net
