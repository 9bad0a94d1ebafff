#include "chain/certificate.h"

#include "chain/encoding.h"

namespace eventchain::chain {

Bytes certified_statement(const TemplateHeader& header, const BlockId& id) {
  return Writer(160)
      .header("ec:cert")
      .fixed(header.chain)
      .u64(header.height.value)
      .fixed(id)
      .u64(header.log_size)
      .fixed(header.log_root)
      .fixed(header.member_set)
      .take();
}

std::size_t certificate_quorum(const MemberSet& members) {
  return count_voters(members) / 2 + 1;
}

}  // namespace eventchain::chain
