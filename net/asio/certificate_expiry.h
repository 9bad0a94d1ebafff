#pragma once

#include <string>

#include "chain/result.h"
#include "chain/types.h"

namespace eventchain::net {

// When the first certificate of a PEM file ends to be valid. The error names the file.
chain::Result<chain::UnixMillis> certificate_expiry(const std::string& file);

}  // namespace eventchain::net
