#pragma once

#include <algorithm>
#include <initializer_list>

#include "chain/bytes.h"
#include "chain/types.h"

namespace eventchain::chain {

// SHA-256 (FIPS 180-4) of the concatenation of `parts`; OpenSSL does the work, hidden in hash.cpp.
Hash sha256(ByteView bytes);
Hash sha256(std::initializer_list<ByteView> parts);

// Reinterprets a hash as a finer-named value of the same size, e.g. as_kind<BlockId>(sha256(..)).
template <class Kind>
Kind as_kind(const Hash& hash) {
  static_assert(Kind::kSize <= Hash::kSize);
  Kind result;
  std::copy_n(hash.octets.begin(), Kind::kSize, result.octets.begin());
  return result;
}

}  // namespace eventchain::chain
