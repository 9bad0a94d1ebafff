#pragma once

#include <functional>

namespace eventchain::tools {

// Runs `work` on that many threads (at least one) until all have returned, and calls `tell` on the
// calling thread every 50 ms or so and once at the end. `work` does not throw.
void side_by_side(unsigned threads, const std::function<void()>& work,
                  const std::function<void()>& tell);

}  // namespace eventchain::tools
