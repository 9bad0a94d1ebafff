#include "tests/sim/checkers/light_checker.h"

#include <algorithm>

#include "node/members.h"
#include "tests/sim/signing.h"

namespace eventchain::sim {

namespace {

// Counted here, and not by what the nodes count with.
bool is_majority_of(const chain::MemberSet& set, const chain::Certificate& certificate,
                    chain::ByteView statement) {
  Signing signing{chain::PublicKey{}};
  std::size_t voters = 0;
  std::size_t signers = 0;
  for (const chain::Member& member : set.members) {
    if (member.role != chain::MemberRole::kVoter) continue;
    ++voters;
    if (std::ranges::any_of(certificate, [&](const chain::SlotSignature& one) {
          return one.slot == member.slot &&
                 signing.verify(member.signing_key, statement, one.signature);
        }))
      ++signers;
  }
  return 2 * signers > voters;
}

}  // namespace

LightChecker::LightChecker(const Roster& roster, const ChainChecker& chain,
                           const MemberChecker& membership)
    : roster_(roster), chain_(chain), membership_(membership), kept_(roster.size()) {}

void LightChecker::set_up(std::size_t host) {
  lights_.push_back(host);
}

LightChecker::Kept LightChecker::of(const NodeHost& host) {
  const chain::HeaderState& state = host.headers();
  return {state.height(), state.tip, state.member_set, state.history.root(),
          host.light_store().certificate()};
}

bool LightChecker::committed(const NodeHost& host) {
  const chain::HeaderState& state = host.headers();
  std::optional<Kept>& kept = kept_[host.index()];
  const chain::Height seen = kept ? kept->height : chain::Height{0};
  if (state.height() < seen)
    throw Violation("I5", fmt::format("n{} fell from height {} to {}", host.index(), seen.value,
                                      state.height().value));
  if (host.light_store().durable_height() != state.height())
    throw Violation(
        "I12", fmt::format("n{} goes on from height {}, and its disk has height {}", host.index(),
                           state.height().value, host.light_store().durable_height().value));
  if (state.height() > chain_.height())
    throw Violation("I5", fmt::format("n{} has a header at height {}, and block {} is the newest",
                                      host.index(), state.height().value, chain_.height().value));
  for (chain::Height height = seen.next(); height <= state.height(); height = height.next()) {
    if (chain::block_id(host.light_store().block(height).sealed) != chain_.id_at(height))
      throw Violation("I1", fmt::format("n{} has another header at height {} than was committed",
                                        host.index(), height.value));
    ++headers_;
  }
  if (kept && kept->tip == state.tip) return false;
  if (state.tip != chain_.id_at(state.height()))
    throw Violation("I1", fmt::format("n{} has another tip at height {} than was committed",
                                      host.index(), state.height().value));
  kept = of(host);
  if (state.height().value > 0) demand_certificate(host, *kept);
  return true;
}

void LightChecker::demand_certificate(const NodeHost& host, const Kept& now) const {
  const chain::Bytes statement =
      chain::certified_statement(host.light_store().block(now.height).sealed.header, now.tip);
  for (const chain::Height height : {now.height, now.height.next()})
    if (is_majority_of(*membership_.at(height), now.certificate, statement)) return;
  throw Violation("I13", fmt::format("n{} stands at block {} without signatures of a majority",
                                     host.index(), now.height.value));
}

void LightChecker::recovered(const NodeHost& host) {
  const auto& kept = kept_[host.index()];
  const Kept found = of(host);
  const chain::Height had = kept ? kept->height : chain::Height{0};
  if (kept ? found == *kept : found.height == had) return;
  throw Violation(
      "I12", fmt::format("n{} comes back at height {} with {} signatures; it had "
                         "height {}",
                         host.index(), found.height.value, found.certificate.size(), had.value));
}

void LightChecker::says(const NodeHost& host, const net::Message& message) const {
  if (std::holds_alternative<net::HeadersRequest>(message)) return;
  if (std::holds_alternative<net::SharePush>(message)) return;
  throw Violation("light", fmt::format("n{} is a light member and sends a {}", host.index(),
                                       net::name_of(message)));
}

void LightChecker::demand_full(const NodeHost& host, const char* does) {
  if (host.is_light())
    throw Violation("light", fmt::format("n{} is a light member and {}", host.index(), does));
}

void LightChecker::counted(const NodeHost& host) const {
  if (lights_.empty()) return;
  const auto& configuration = host.core().replica().configuration();
  for (const std::size_t light : lights_) {
    const consensus::ServerId server = node::server_of(roster_.node(light));
    if (std::ranges::find(configuration, server, &consensus::Server::id) != configuration.end())
      throw Violation("light", fmt::format("n{} has the light member n{} in Raft's configuration",
                                           host.index(), light));
  }
}

void LightChecker::extended(const std::vector<chain::Block>& blocks) {
  if (lights_.empty() || blocks.empty()) return;
  for (const std::size_t light : lights_) {
    const chain::Member* member = chain::find_member(*membership_.newest(), roster_.node(light));
    if (member != nullptr && member->role != chain::MemberRole::kLight)
      throw Violation("light", fmt::format("a block makes the light member n{} a {}", light,
                                           chain::to_string(member->role)));
  }
  for (const chain::Block& block : blocks) {
    const chain::MemberSet& set = *membership_.at(block.sealed.header.height);
    for (const chain::Nonce& nonce : block.sealed.seal.shares) {
      const chain::Member* member = chain::member_at(set, nonce.slot());
      if (member != nullptr && member->role == chain::MemberRole::kLight) ++shares_;
    }
  }
}

}  // namespace eventchain::sim
