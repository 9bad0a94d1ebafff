#include "chain/result.h"

#include <cstdio>
#include <cstdlib>

namespace eventchain::chain {

void assertion_failed(const char* condition, const char* text, const char* file, int line) {
  std::fprintf(stderr, "eventchain: broken invariant: %s (%s) at %s:%d\n", text, condition, file,
               line);
  std::abort();
}

}  // namespace eventchain::chain
