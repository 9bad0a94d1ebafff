#include "tests/sim/checkers/work_checker.h"

namespace eventchain::sim {

void WorkChecker::mines(std::size_t node, const mining::WorkOrder& order) {
  const chain::MemberSet& set = *membership_.at(order.header.height);
  const chain::Member* member = chain::member_at(set, order.slot);
  if (member == nullptr || member->node != roster_.node(node))
    throw Violation("slots", fmt::format("n{} mines at height {} in slot {}, which is not its own",
                                         node, order.header.height.value, order.slot.value));
  Searched& searched = templates_[order.template_hash];
  searched.height = order.header.height;
  if (searched.nodes.size() <= order.slot.value)
    searched.nodes.resize(std::size_t{order.slot.value} + 1, kNobody);
  std::uint16_t& known = searched.nodes[order.slot.value];
  if (known != kNobody && known != node)
    throw Violation("slots",
                    fmt::format("n{} and n{} search the same nonces of one template", known, node));
  known = static_cast<std::uint16_t>(node);
}

void WorkChecker::found(std::size_t node, const mining::WorkOrder& order,
                        const mining::ShareFound& share) {
  if (share.nonce.slot() != order.slot)
    throw Violation("slots", fmt::format("n{} finds a share in slot {}, told to search slot {}",
                                         node, share.nonce.slot().value, order.slot.value));
  if (!templates_[share.template_hash].found.emplace(share.nonce, node).second)
    throw Violation("slots", fmt::format("n{} finds the same share twice", node));
}

void WorkChecker::extended(const std::vector<chain::Block>& blocks) {
  for (const chain::Block& block : blocks) {
    const chain::TemplateHeader& header = block.sealed.header;
    const chain::MemberSet& set = *membership_.at(header.height);
    const chain::TemplateHash made = chain::template_hash(header);
    const Searched& searched = templates_[made];
    for (const chain::Nonce& nonce : block.sealed.seal.shares) {
      const chain::Member* member = chain::member_at(set, nonce.slot());
      const auto host = member == nullptr ? std::nullopt : roster_.find(member->node);
      if (pushed_.contains({made, nonce})) continue;
      if (!host || !searched.found.contains({nonce, *host}))
        throw Violation("slots",
                        fmt::format("block {} has a share of slot {} that its member did not find",
                                    header.height.value, nonce.slot().value));
      ++shares_;
    }
    // Who searched where is kept for good: somebody may be late, and must not overlap either.
    for (auto& [hash, one] : templates_)
      if (one.height <= header.height) one.found.clear();
  }
}

}  // namespace eventchain::sim
