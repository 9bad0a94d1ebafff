#include "chain/features.h"

#include <fmt/format.h>

namespace eventchain::chain {

Result<void> check_program(const MemberSet& set, std::uint16_t program) {
  if (can_follow(set, program)) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("the cluster is at feature level {}, and this program can do level {} "
                          "only; install the version that the voters run and start it on the same "
                          "data directory",
                          set.feature_level, program));
}

}  // namespace eventchain::chain
