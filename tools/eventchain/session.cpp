#include "tools/eventchain/session.h"

namespace eventchain::tools {

void stop(const chain::Error& error) {
  const Exit exit = error.code == chain::ErrorCode::kUnavailable ? Exit::kUnreachable
                    : error.code == chain::ErrorCode::kCorrupt   ? Exit::kTampered
                                                                 : Exit::kError;
  throw CommandFailed{exit, error.message};
}

}  // namespace eventchain::tools
