#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chain/bytes.h"

namespace eventchain::chain {

// RFC 4648, section 4: standard alphabet, padded, no line breaks. Decoding accepts exactly what
// encoding writes, so that binary data has one spelling.
std::string to_base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace eventchain::chain
