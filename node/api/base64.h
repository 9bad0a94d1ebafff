#pragma once

#include <optional>
#include <string_view>

#include "chain/bytes.h"

namespace eventchain::node::api {

// RFC 4648, section 4: standard alphabet, padded, no line breaks. Decoding accepts exactly what
// encoding writes, so that binary data has one spelling.
std::string to_base64(chain::ByteView bytes);
std::optional<chain::Bytes> from_base64(std::string_view text);

}  // namespace eventchain::node::api
