#include "node/header_work.h"

#include <fmt/format.h>

#include <algorithm>

namespace eventchain::node {

namespace {

// A leader eases a target or follows another a few times at one height.
constexpr std::size_t kTakenUpMax = 64;

void count(std::uint64_t& one) {
  ++one;
}

}  // namespace

std::string HeaderWork::pushed(const chain::NodeId& peer, const chain::TemplateHeader& header) {
  if (header.chain != chain_.state().chain) return "a template of another chain";
  if (header.height <= chain_.state().height()) return {};
  pushed_.insert_or_assign(peer, header);
  return header.height == chain_.state().height().next() ? consider(peer, header) : std::string();
}

// Like every node that knows no leader it takes up what a voter took up last, and from others what
// is later by the leader's own clock, each template once.
std::string HeaderWork::consider(const chain::NodeId& peer, const chain::TemplateHeader& header) {
  const chain::Verdict verdict = chain::check_header(chain_.state(), header);
  if (verdict.blame == chain::Blame::kNobody && !verdict.ok()) return {};  // on another tip
  if (!verdict.ok())
    return fmt::format("a template that breaks a rule height={} rule={}", header.height.value,
                       chain::to_string(verdict.rule));
  const chain::TemplateHash hash = chain::template_hash(header);
  if (taken_up_.size() >= kTakenUpMax || taken_up_.contains(hash)) return {};
  if (work_ && !members_.is_voter(peer) && header.time <= work_->header.time) return {};
  take_up(header, hash);
  return {};
}

void HeaderWork::take_up(const chain::TemplateHeader& header, const chain::TemplateHash& hash) {
  taken_up_.insert(hash);
  ++taken_up_count_;
  work_ = Work{header, hash, {}};
  const chain::Member* self = members_.self();
  if (!mines_ || self == nullptr) return;
  const auto target = chain::expand(header.share_target);
  EC_ASSERT(target.has_value(), "a checked header has a canonical target");
  outbox_.add(Mine{mining::WorkOrder{header, hash, self->slot, *target}});
}

void HeaderWork::share(const mining::ShareFound& found) {
  // The miner searches only what it was given here: a share for anything else comes late.
  if (!work_ || found.template_hash != work_->hash) return count(shares_.stale);
  auto& shares = work_->shares;
  if (shares.size() >= work_->header.share_count) return count(shares_.surplus);
  if (std::ranges::find(shares, found.nonce) != shares.end()) return count(shares_.duplicate);
  if (!chain::check_share(chain_.state(), chain_.digest(), work_->header, found.nonce).ok())
    return count(shares_.refused);
  shares.push_back(found.nonce);
  ++shares_.accepted;
  outbox_.send(takers(), net::SharePush{found.template_hash, found.nonce});
  if (shares.size() == work_->header.share_count) outbox_.add(StopMining{});
}

// Shares are for the voters; without one in reach, somebody else may have one.
std::vector<chain::NodeId> HeaderWork::takers() const {
  std::vector<chain::NodeId> to = members_.linked();
  if (!to.empty() && members_.is_voter(to.front()))
    std::erase_if(to, [this](const chain::NodeId& node) { return !members_.is_voter(node); });
  return to;
}

void HeaderWork::peer_up(const chain::NodeId& peer) {
  if (!work_) return;
  for (const chain::Nonce& nonce : work_->shares)
    outbox_.send(peer, net::SharePush{work_->hash, nonce});
}

std::vector<std::pair<chain::NodeId, std::string>> HeaderWork::tip_moved() {
  if (work_ && mines_) outbox_.add(StopMining{});
  work_.reset();
  taken_up_.clear();
  std::erase_if(pushed_,
                [this](const auto& one) { return one.second.height <= chain_.state().height(); });
  std::vector<std::pair<chain::NodeId, std::string>> faults;
  for (const auto& [peer, header] : pushed_) {
    if (header.height != chain_.state().height().next()) continue;
    if (std::string wrong = consider(peer, header); !wrong.empty())
      faults.emplace_back(peer, std::move(wrong));
  }
  for (const auto& [peer, wrong] : faults) pushed_.erase(peer);
  return faults;
}

}  // namespace eventchain::node
