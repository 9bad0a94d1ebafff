// What clients and operators ask of the nodes, and that they are answered.

#include <algorithm>
#include <utility>

#include "tests/sim/cluster.h"
#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

// An answer may be late by a stalled disk and a pause, not by more.
constexpr std::chrono::seconds kAnswerLateMax{30};

}  // namespace

// By the node's own clock, which may be slow.
template <class Open>
void Cluster::expect_answer(const std::map<node::RequestId, Open>& open, node::RequestId id,
                            chain::Instant deadline, const char* what) {
  const NodeHost& asked = host(open.at(id).node);
  const Span left = std::max(deadline - asked.now().steady, Span(0)) + kAnswerLateMax;
  scheduler_.after(left, [this, &open, id, deadline, what] {
    const auto late = open.find(id);
    if (late == open.end()) return;
    const NodeHost& silent = host(late->second.node);
    if (silent.is_paused() || silent.now().steady < deadline + kAnswerLateMax)
      return expect_answer(open, id, deadline, what);
    throw Violation("answers", fmt::format("n{} never answered {}", silent.index(), what));
  });
}

chain::HeldEvent Cluster::make_event(const chain::Bytes& body) {
  return registry_.submit(draw_octets<chain::Salt>(salts_), body);
}

void Cluster::submit(std::size_t node, std::vector<chain::HeldEvent> events, node::WaitFor wait,
                     Span timeout, Answered done) {
  if (!host(node).is_alive()) {
    done(std::nullopt);
    return;
  }
  node::ClientSubmit input;
  input.request = node::RequestId{next_request_++};
  input.events = events;
  input.wait = wait;
  input.deadline = host(node).now().steady + timeout;
  trace_.print("client asks n{} request={} events={} wait={}", node, input.request.value,
               events.size(), static_cast<int>(wait));
  for (const auto& event : events) {
    if (host(node).is_light()) break;  // which takes none
    const ContentId content = registry_.find(event.facts.commitment)->content;
    const chain::Height by = membership_.known_to(node);
    promises_.asked(content, read_checker_.floor());
    chain::Height& oldest = offered_by_.emplace(content, by).first->second;
    oldest = std::min(oldest, by);
  }
  Intake intake = intakes_[node];
  intake.is_light = host(node).is_light();
  requests_.emplace(input.request, Request{node, std::move(events), wait, intake, std::move(done)});
  expect_answer(requests_, input.request, input.deadline, "a client");
  host(node).post(std::move(input));
}

void Cluster::read(std::size_t node, Span timeout, ReadDone done) {
  if (!host(node).is_alive()) {
    done(std::nullopt);
    return;
  }
  node::ClientReads input;
  input.request = node::RequestId{next_request_++};
  input.deadline = host(node).now().steady + timeout;
  trace_.print("client reads n{} request={}", node, input.request.value);
  reads_.emplace(input.request, Read{node, read_checker_.floor(), std::move(done)});
  expect_answer(reads_, input.request, input.deadline, "a read");
  host(node).post(input);
}

void Cluster::order(std::size_t node, net::Order order, Span timeout, OrderDone done) {
  if (!host(node).is_alive()) {
    done(std::nullopt);
    return;
  }
  node::ClientOrders input;
  input.request = node::RequestId{next_request_++};
  input.order = order;
  membership_.ordered(order);
  input.deadline = host(node).now().steady + timeout;
  orders_.emplace(input.request, OpenOrder{node, std::move(order), std::move(done)});
  expect_answer(orders_, input.request, input.deadline, "an order");
  host(node).post(std::move(input));
}

std::set<std::size_t> Cluster::open_questions() const {
  std::set<std::size_t> nodes;
  for (const auto& [id, request] : requests_) nodes.insert(request.node);
  for (const auto& [id, read] : reads_) nodes.insert(read.node);
  for (const auto& [id, order] : orders_) nodes.insert(order.node);
  // Who was removed and does not know it is healed by nobody.
  std::erase_if(nodes, [this](std::size_t node) {
    return hosts_[node]->is_paused() || hosts_[node]->is_slow();
  });
  return nodes;
}

void Cluster::fill_disk(std::size_t node, bool is_full) {
  if (!host(node).is_alive()) return;
  intakes_[node].disk_is_full = is_full;
  host(node).post(node::DiskSpace{is_full});
}

void Cluster::drain(std::size_t node, bool wants) {
  if (!host(node).is_alive() || intakes_[node].drains == wants) return;
  trace_.print("n{} {}", node, wants ? "is to drain" : "drains no more");
  intakes_[node].drains = wants;
  host(node).post(node::OperatorDrains{wants});
}

}  // namespace eventchain::sim
