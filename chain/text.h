#pragma once

#include <string>

#include "chain/bytes.h"
#include "chain/types.h"

namespace eventchain::chain {

enum class TextFault {
  kNone,
  kNotUtf8,    // not the shortest form, cut off, a surrogate or beyond U+10FFFF
  kForbidden,  // UTF-8, but with a character that a CloudEvents String must not have
};

// First fault of an attribute value by CloudEvents 1.0.2, "Type System", String: no control
// characters (U+0000..U+001F, U+007F..U+009F), no surrogates, no noncharacters.
TextFault find_text_fault(ByteView text);

// Strict UTF-8 (RFC 3629) with any character: what JSON data must be.
bool is_utf8(ByteView text);

// `date-time` of RFC 3339, section 5.6: days that the month has, second 60 for leap seconds, an
// offset always; nothing else.
bool is_timestamp(ByteView text);

// RFC 3339, UTC, milliseconds: "2025-01-31T12:00:00.000Z". Outside the years 0 to 9999, which
// have no such spelling, the milliseconds themselves.
std::string rfc3339(UnixMillis time);

}  // namespace eventchain::chain
