#include "tests/sim/scale_feed.h"

#include <algorithm>

#include "tests/sim/draws.h"
#include "tests/sim/orders.h"

namespace eventchain::sim {

namespace {

constexpr std::chrono::seconds kDurableWithin{60};
constexpr std::chrono::minutes kOrderWithin{2};
constexpr std::chrono::milliseconds kAskAgain{500};

}  // namespace

void ScaleFeed::start(Span every, std::optional<std::size_t> count) {
  every_ = every;
  left_ = count;
  ++life_;
  wait();
}

void ScaleFeed::wait() {
  cluster_.scheduler().after(draw_exponential(rng_, every_), [this, life = life_] {
    if (life != life_ || left_ == 0) return;
    if (left_) --*left_;
    submit();
    wait();
  });
}

std::optional<std::size_t> ScaleFeed::pick(bool is_voter) {
  std::vector<std::size_t> nodes = cluster_.voters();
  if (!is_voter) {
    std::vector<std::size_t> others;
    std::ranges::set_difference(cluster_.members(), nodes, std::back_inserter(others));
    nodes = std::move(others);
  }
  std::erase_if(nodes, [this](std::size_t node) { return !cluster_.host(node).is_alive(); });
  if (nodes.empty()) return std::nullopt;
  return nodes[rng_.below(nodes.size())];
}

chain::Bytes ScaleFeed::make_body() {
  chain::Event event;
  event.set("id", fmt::format("e{}", events_.size()));
  event.set("source", std::string("/scale"));
  event.set("type", std::string("sim"));
  event.set("stream", fmt::format("s{}", rng_.below(100)));
  event.data_kind = chain::DataKind::kBinary;
  for (std::size_t i = 0; i < body_bytes_; ++i)
    event.data.push_back(static_cast<char>(rng_.next() & 0xff));
  return chain::encode_body(event);
}

void ScaleFeed::submit() {
  const bool is_at_voter = events_.size() % 2 == 0;
  const auto node = pick(is_at_voter);
  if (!node) return;
  const chain::Bytes body = make_body();
  body_octets_ = body.size();
  chain::HeldEvent event = cluster_.make_event(body);
  const std::size_t place = events_.size();
  events_.push_back({event.facts.key, is_at_voter, cluster_.scheduler().now(), std::nullopt});
  cluster_.submit(*node, {std::move(event)}, node::WaitFor::kDurable, kDurableWithin,
                  [this, place](const std::optional<node::Answer>& answer) {
                    if (!answer || !answer->reached) return;  // it died, or the time was over
                    events_[place].durable = cluster_.scheduler().now();
                    ++durable_;
                  });
}

Admission::Admission(Cluster& cluster) : cluster_(cluster) {}

void Admission::start() {
  const std::size_t voters = cluster_.voters().size();
  desks_.resize(voters);
  for (std::size_t host = voters; host < cluster_.size(); ++host) {
    desks_[host % voters].waiting.push_back({host, false});
    ++wanted_;
  }
  for (std::size_t voter = 0; voter < voters; ++voter) work(voter);
}

void Admission::work(std::size_t voter) {
  Desk& desk = desks_[voter];
  // The leader takes on as many as a block can have.
  const std::size_t open_max =
      std::min<std::size_t>(16, std::max<std::size_t>(1, chain::kOrdersMax / desks_.size()));
  while (desk.open < open_max && !desk.waiting.empty()) {
    const Step step = desk.waiting.front();
    desk.waiting.pop_front();
    ++desk.open;
    ask(voter, step);
  }
}

void Admission::ask(std::size_t voter, const Step& step) {
  const auto kind = step.is_admission ? OrderKind::kAdmit : OrderKind::kInviteObserver;
  const auto order =
      make_order(kind, cluster_.roster()[step.host], *cluster_.membership().newest());
  cluster_.order(voter, order, kOrderWithin,
                 [this, voter, step](const std::optional<node::OrderAnswer>& answer) {
                   Desk& desk = desks_[voter];
                   --desk.open;
                   if (answer && answer->outcome == net::OrderOutcome::kDone) {
                     if (step.is_admission) {
                       ++admitted_;
                     } else {
                       desk.waiting.push_front({step.host, true});
                     }
                     cluster_.scheduler().after(Span(0), [this, voter] { work(voter); });
                   } else {
                     desk.waiting.push_back(step);
                     cluster_.scheduler().after(kAskAgain, [this, voter] { work(voter); });
                   }
                 });
}

}  // namespace eventchain::sim
