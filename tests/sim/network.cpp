#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

#include "net/codec.h"
#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSilenceMax{10'000};  // as net::limits::kIdleTimeout
constexpr milliseconds kNoticeMax{50};
constexpr milliseconds kDialMax{500};
constexpr milliseconds kOvertakeMax{300};

}  // namespace

Network::Network(std::size_t nodes, const Options& options, Scheduler& scheduler, Trace& trace,
                 Receiver& receiver, chain::Rng rng)
    : options_(options),
      scheduler_(scheduler),
      trace_(trace),
      receiver_(receiver),
      rng_(rng),
      is_alive_(nodes, false),
      lives_(nodes, 0),
      links_(nodes) {
  for (std::size_t b = 0; b < nodes; ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      Link link;
      link.ends[0] = a;
      link.ends[1] = b;
      link.latency = draw_span(rng_, std::chrono::microseconds(50), options_.latency_max);
      links_[b].push_back(std::move(link));
    }
  }
}

Network::Link& Network::link(std::size_t a, std::size_t b) {
  return a < b ? links_[b][a] : links_[a][b];
}
const Network::Link& Network::link(std::size_t a, std::size_t b) const {
  return a < b ? links_[b][a] : links_[a][b];
}

void Network::node_up(std::size_t node) {
  is_alive_[node] = true;
  ++lives_[node];
  for (std::size_t other = 0; other < is_alive_.size(); ++other)
    if (other != node) dial(link(node, other));
}

void Network::node_down(std::size_t node) {
  is_alive_[node] = false;
  ++lives_[node];
  for (std::size_t other = 0; other < is_alive_.size(); ++other) {
    if (other == node) continue;
    Link& one = link(node, other);
    one.sees_up[one.ends[0] == node ? 0 : 1] = false;
    break_up(one);
  }
}

void Network::dial(Link& link) {
  if (!options_.dials) return;
  const Time from = std::max(scheduler_.now(), link.ready_at);
  scheduler_.at(from + draw_span(rng_, milliseconds(1), kDialMax),
                [this, &link] { connect(link); });
}

bool Network::may_connect(const Link& link) const {
  if (link.is_up || scheduler_.now() < link.ready_at) return false;
  if (!is_alive_[link.ends[0]] || !is_alive_[link.ends[1]]) return false;
  return link.is_allowed && !link.to[0].is_cut && !link.to[1].is_cut;
}

bool Network::may_join(std::size_t a, std::size_t b) const {
  return may_connect(link(a, b));
}

void Network::connect(Link& link) {
  if (may_connect(link)) open(link, kNoticeMax / 10);
}

void Network::join(std::size_t a, std::size_t b) {
  EC_ASSERT(may_join(a, b), "a link comes up only where it can");
  open(link(a, b), Span(0));
}

void Network::open(Link& link, Span notice_max) {
  link.is_up = true;
  const auto epoch = ++link.epoch;
  for (std::size_t end = 0; end < 2; ++end) {
    link.to[end].last_arrival = {};
    link.to[end].stalled.clear();
    link.up_at[end] = scheduler_.now() + draw_span(rng_, Span(0), notice_max);
    scheduler_.at(link.up_at[end], [this, &link, end, epoch] {
      if (epoch != link.epoch) return;
      link.sees_up[end] = true;
      receiver_.link_up(link.ends[end], link.ends[1 - end]);
    });
  }
}

void Network::break_up(Link& link) {
  if (!link.is_up) return;
  link.is_up = false;
  ++link.epoch;
  trace_.fold(10, link.ends[0], link.ends[1]);
  trace_.print("link n{} n{} breaks", link.ends[0], link.ends[1]);
  for (std::size_t end = 0; end < 2; ++end) {
    if (!link.sees_up[end]) continue;
    const std::size_t node = link.ends[end];
    const Time notices = scheduler_.now() + draw_span(rng_, Span(0), kNoticeMax);
    link.ready_at = std::max(link.ready_at, notices);
    scheduler_.at(notices, [this, &link, end, node, life = lives_[node]] {
      if (life != lives_[node]) return;
      link.sees_up[end] = false;
      receiver_.link_down(node, link.ends[1 - end]);
    });
  }
  dial(link);
}

void Network::break_link(std::size_t a, std::size_t b) {
  break_up(link(a, b));
}

void Network::allow(std::size_t a, std::size_t b, bool is_allowed) {
  Link& one = link(a, b);
  if (one.is_allowed == is_allowed) return;
  one.is_allowed = is_allowed;
  if (is_allowed) {
    dial(one);
  } else {
    break_up(one);
  }
}

bool Network::send(std::size_t from, std::size_t to, const Said& message) {
  Link& one = link(from, to);
  const std::size_t end = one.ends[0] == to ? 0 : 1;
  if (!one.is_up || !one.sees_up[1 - end]) return false;
  if (one.to[end].is_cut) {
    one.to[end].stalled.push_back(message);
  } else {
    transmit(one, end, message);
  }
  return true;
}

void Network::transmit(Link& link, std::size_t end, const Said& message) {
  Time when = scheduler_.now() + link.latency + link.extra +
              draw_span(rng_, Span(0), link.latency + link.extra);
  when = std::max(when, link.up_at[end] + Span(1));
  if (!is_calm_ && options_.duplicate_one_in > 0 && rng_.chance(1, options_.duplicate_one_in))
    arrive(link, end, when + draw_span(rng_, Span(0), kOvertakeMax), message);
  if (!is_calm_ && options_.reorder_one_in > 0 && rng_.chance(1, options_.reorder_one_in)) {
    arrive(link, end, when + draw_span(rng_, Span(0), kOvertakeMax), message);
    return;
  }
  Time& last = link.to[end].last_arrival[static_cast<std::size_t>(net::priority_of(*message))];
  last = std::max(when, last);
  arrive(link, end, last, message);
}

void Network::arrive(Link& link, std::size_t end, Time when, const Said& message) {
  scheduler_.at(when, [this, &link, end, message, epoch = link.epoch] {
    if (epoch != link.epoch) return;
    ++messages_;
    trace_.fold(11, link.ends[end], message->index());
    const std::size_t to = link.ends[end];
    const std::size_t from = link.ends[1 - end];
    if (!options_.uses_codec) {
      receiver_.said(to, from, *message);
      return;
    }
    auto decoded = net::decode(net::encode(*message));
    if (!decoded)
      throw Violation("codec", fmt::format("a {} does not survive the wire: {}",
                                           net::name_of(*message), decoded.error().message));
    receiver_.said(to, from, std::move(*decoded));
  });
}

void Network::cut(std::size_t from, std::size_t to) {
  Link& one = link(from, to);
  const std::size_t end = one.ends[0] == to ? 0 : 1;
  if (one.to[end].is_cut) return;
  trace_.print("cut n{} -> n{}", from, to);
  one.to[end].is_cut = true;
  if (!one.is_up) return;
  scheduler_.after(kSilenceMax, [this, &one, end, epoch = one.epoch] {
    if (epoch == one.epoch && one.to[end].is_cut) break_up(one);
  });
}

void Network::mend(std::size_t from, std::size_t to) {
  Link& one = link(from, to);
  const std::size_t end = one.ends[0] == to ? 0 : 1;
  if (!one.to[end].is_cut) return;
  trace_.print("mended n{} -> n{}", from, to);
  one.to[end].is_cut = false;
  const auto stalled = std::exchange(one.to[end].stalled, {});
  if (!one.is_up) {
    dial(one);
  } else if (rng_.chance(1, 2)) {
    // TCP sends again what was not acknowledged.
    for (const auto& message : stalled) transmit(one, end, message);
  } else {
    break_up(one);
  }
}

void Network::mend_all() {
  for (std::size_t from = 0; from < is_alive_.size(); ++from)
    for (std::size_t to = 0; to < is_alive_.size(); ++to)
      if (from != to) mend(from, to);
}

void Network::calm() {
  is_calm_ = true;
  for (auto& row : links_)
    for (auto& link : row) link.extra = Span(0);
}

bool Network::is_cut(std::size_t from, std::size_t to) const {
  const Link& one = link(from, to);
  return one.to[one.ends[0] == to ? 0 : 1].is_cut;
}

}  // namespace eventchain::sim
