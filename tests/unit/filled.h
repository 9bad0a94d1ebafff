#pragma once

#include <cstdint>

// An id, key or hash all of whose octets are `octet`.
template <class Kind>
Kind filled(std::uint8_t octet) {
  Kind result;
  result.octets.fill(octet);
  return result;
}
