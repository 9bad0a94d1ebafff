#include "tests/sim/scale.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "tests/sim/orders.h"
#include "tests/sim/scale_feed.h"
#include "tests/sim/scale_meter.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kSites = 5;
constexpr Span kSlowFeed = seconds(1);
constexpr milliseconds kLook{100};
// Blocks of which the difficulty has followed the nodes that have come.
constexpr std::uint64_t kSettlingBlocks = 20;
constexpr std::size_t kTakenApart = 3;

ClusterOptions cluster_of(const ScaleOptions& options) {
  ClusterOptions cluster;
  cluster.seed = options.seed;
  cluster.nodes = options.voters;
  cluster.joiners = options.observers;
  cluster.share_count = options.share_count;
  cluster.interval_ms = options.interval_ms;
  cluster.heartbeat_ms = 60'000;
  cluster.hashes_per_share = 4;  // the voters' own; the others make it hard
  cluster.is_sparse = true;
  cluster.sites = kSites;
  return cluster;
}

Spread spread_of(std::vector<Span> spans) {
  Spread spread;
  spread.count = spans.size();
  if (spans.empty()) return spread;
  std::ranges::sort(spans);
  spread.p50 = spans[spans.size() / 2];
  spread.p99 = spans[spans.size() * 99 / 100];
  spread.max = spans.back();
  return spread;
}

Share share_of(const std::vector<double>& values) {
  Share share;
  if (values.empty()) return share;
  for (const double value : values) share.mean += value;
  share.mean /= static_cast<double>(values.size());
  share.max = *std::ranges::max_element(values);
  return share;
}

double resident_octets() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double octets_in_use() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// One run, stage by stage.
class ScaleRun {
 public:
  explicit ScaleRun(const ScaleOptions& options)
      : options_(options),
        cluster_(cluster_of(options)),
        meter_(cluster_.size(), cluster_.scheduler()),
        feed_(cluster_, options.body_bytes, chain::Rng(options.seed).fork("feed")) {
    cluster_.show_to(&meter_);
  }

  ScaleReport run() {
    admit();
    settle();
    note_memory();
    measure_events();
    note_memory();
    measure_mining();
    note_memory();
    replace_voters();
    end();
    take_apart();
    return std::move(report_);
  }

 private:
  void demand(const std::function<bool()>& is_true, Span limit, const char* what) {
    const Time end = cluster_.scheduler().now() + limit;
    while (!is_true()) {
      if (cluster_.scheduler().now() >= end)
        throw Violation("I15", fmt::format("{} takes too long: {}", what, cluster_.describe()));
      cluster_.run_for(kLook);
    }
  }
  [[nodiscard]] Time now() { return cluster_.scheduler().now(); }
  [[nodiscard]] Span interval() const { return milliseconds(options_.interval_ms); }
  [[nodiscard]] std::uint64_t height() const { return cluster_.chain().height().value; }
  void say(const std::string& what) {
    options_.says(fmt::format("{:>6.1f} s, height {:>3}: {}",
                              std::chrono::duration<double>(now().since_start).count(), height(),
                              what));
  }
  [[nodiscard]] bool is_voter(std::size_t node) const {
    const auto voters = cluster_.voters();
    return std::ranges::find(voters, node) != voters.end();
  }
  // Whatever the blocks in hand are still to do, and what is asked for again after a while.
  [[nodiscard]] Span patience() const { return seconds(120) + 30 * interval(); }

  void admit() {
    cluster_.start_genesis();
    demand([this] { return cluster_.leader().has_value(); }, seconds(30), "an election");
    cluster_.run_for(seconds(2));
    const Time begin = now();
    const std::uint64_t first = height();
    Admission admission(cluster_);
    admission.start();
    demand([&] { return admission.is_done(); }, minutes(60), "the admission");
    demand([&] { return cluster_.is_settled(cluster_.everybody()); }, patience(), "catching up");
    report_.admission = now() - begin;
    report_.admission_blocks = height() - first;
    say("all are admitted and have caught up");
  }

  // Until blocks come in their time again.
  void settle() {
    feed_.start(kSlowFeed);
    const std::uint64_t first = height();
    const auto is_in_step = [&] {
      if (height() < first + kSettlingBlocks) return false;
      const auto newest = meter_.first_reached(chain::Height{height()});
      const auto before = meter_.first_reached(chain::Height{height() - 10});
      return newest && before && *newest - *before >= 8 * interval();
    };
    demand(is_in_step, minutes(5) + 200 * interval(), "the difficulty");
    stop_feed();
    report_.dials_refused = cluster_.mesh()->refused();
    for (const bool votes : {false, true}) {
      std::vector<double> links;
      for (const std::size_t node : of_kind(votes))
        links.push_back(static_cast<double>(cluster_.mesh()->links_of(node).size()));
      kind(votes).links = share_of(links);
    }
    say("blocks come in their time");
  }

  void stop_feed() {
    feed_.stop();
    demand([this] { return cluster_.is_settled(alive()); }, patience(), "settling");
  }

  [[nodiscard]] std::vector<std::size_t> alive() {
    std::vector<std::size_t> nodes = cluster_.members();
    std::erase_if(nodes, [this](std::size_t node) { return !cluster_.host(node).is_alive(); });
    return nodes;
  }
  [[nodiscard]] std::vector<std::size_t> of_kind(bool votes) {
    std::vector<std::size_t> nodes = alive();
    std::erase_if(nodes, [&](std::size_t node) { return is_voter(node) != votes; });
    return nodes;
  }
  ScaleKind& kind(bool votes) { return votes ? report_.voters : report_.observers; }

  void measure_events() {
    meter_.forget_traffic();
    const std::size_t first = feed_.events().size();
    const std::uint64_t first_block = height() + 1;
    feed_.start(options_.event_every, options_.events);
    demand([this] { return feed_.is_done(); },
           minutes(5) + 4 * static_cast<int>(options_.events) * options_.event_every, "the feed");
    stop_feed();
    // A node's tip moves before the turn that moves it is on its disk.
    demand(
        [this] {
          return std::ranges::all_of(alive(), [this](std::size_t node) {
            return meter_.reached_at(node, chain::Height{height()}).has_value();
          });
        },
        minutes(1), "that every node tells of the newest block");
    for (const bool votes : {false, true}) note_traffic(votes);
    double octets = 0;
    double with_bodies = 0;
    for (const auto& traffic : meter_.traffic()) {
      octets += static_cast<double>(traffic.octets_sent);
      with_bodies += static_cast<double>(traffic.octets_with_bodies);
    }
    const double useful = body_octets() * static_cast<double>(cluster_.size());
    report_.octets_per_node = octets / useful;
    report_.octets_with_bodies_per_node = with_bodies / useful;
    note_times(first);
    std::vector<Span> spreads;
    for (std::uint64_t block = first_block; block <= height(); ++block)
      spreads.push_back(last_reached(chain::Height{block}) -
                        *meter_.first_reached(chain::Height{block}));
    report_.block_spread = spread_of(spreads);
    say("the events are everywhere");
  }

  [[nodiscard]] double body_octets() const {
    return static_cast<double>(options_.events) * static_cast<double>(feed_.body_octets());
  }

  void note_traffic(bool votes) {
    const auto events = static_cast<double>(options_.events);
    std::vector<double> received;
    std::vector<double> sent;
    std::vector<double> octets;
    for (const std::size_t node : of_kind(votes)) {
      const auto& traffic = meter_.traffic()[node];
      received.push_back(static_cast<double>(traffic.bodies_received) / events);
      sent.push_back(static_cast<double>(traffic.bodies_sent) / events);
      octets.push_back(static_cast<double>(traffic.octets_sent) / body_octets());
    }
    kind(votes).copies_received = share_of(received);
    kind(votes).copies_sent = share_of(sent);
    kind(votes).octets_sent = share_of(octets);
  }

  Time last_reached(chain::Height height) {
    Time last;
    for (const std::size_t node : alive()) {
      const auto at = meter_.reached_at(node, height);
      if (!at)
        throw Violation("I15", fmt::format("n{} did not come to block {} in a calm cluster", node,
                                           height.value));
      last = std::max(last, *at);
    }
    return last;
  }

  void note_times(std::size_t first) {
    std::vector<Span> durable[2];
    std::vector<Span> completed;
    std::vector<Span> anywhere;
    std::vector<Span> everywhere;
    for (std::size_t i = first; i < feed_.events().size(); ++i) {
      const auto& event = feed_.events()[i];
      if (!event.durable)
        throw Violation("I15", "an event did not become durable in a calm cluster");
      durable[event.is_at_voter ? 1 : 0].push_back(*event.durable - event.submitted);
      const chain::Height height = cluster_.chain().placed(event.key)->height;
      completed.push_back(*meter_.first_reached(height) - event.submitted);
      everywhere.push_back(last_reached(height) - event.submitted);
      for (const std::size_t node : alive())
        anywhere.push_back(*meter_.reached_at(node, height) - event.submitted);
    }
    report_.observers.durable = spread_of(durable[0]);
    report_.voters.durable = spread_of(durable[1]);
    report_.completed = spread_of(completed);
    report_.anywhere = spread_of(anywhere);
    report_.everywhere = spread_of(everywhere);
  }

  ScaleMining mine() {
    ScaleMining mining;
    const double work = meter_.work();
    const std::uint64_t shares = meter_.shares();
    const std::uint64_t elections = cluster_.raft().elections();
    const std::uint64_t durable = feed_.durable();
    const std::uint64_t end = height() + options_.mining_blocks;
    const Time begin = now();
    Span busy{0};
    demand(
        [&] {
          const auto leader = cluster_.leader();
          if (leader && cluster_.miner(*leader).is_mining()) busy += kLook;
          return height() >= end;
        },
        minutes(5) + 10 * static_cast<int>(options_.mining_blocks) * interval(), "mining");
    mining.blocks = options_.mining_blocks;
    mining.shares = meter_.shares() - shares;
    mining.rate = (meter_.work() - work) / std::chrono::duration<double>(now() - begin).count();
    mining.rate_busy = (meter_.work() - work) / std::chrono::duration<double>(busy).count();
    mining.elections = cluster_.raft().elections() - elections;
    mining.events = feed_.durable() - durable;
    return mining;
  }

  void measure_mining() {
    feed_.start(kSlowFeed);
    report_.all = mine();
    say("all have mined");
    std::vector<std::size_t> dead = of_kind(false);
    for (std::size_t i = dead.size() - 1; i > 0; --i)
      std::swap(dead[i], dead[cluster_.rng().below(i + 1)]);
    dead.resize(std::min(dead.size(), cluster_.size() / 2));
    const double before = octets_in_use();
    for (const std::size_t node : dead) cluster_.kill(node);
    report_.core_octets = (before - octets_in_use()) / static_cast<double>(dead.size());
    say(fmt::format("{} of {} nodes die", dead.size(), cluster_.size()));
    report_.half = mine();
    say("the others have mined");
    for (const std::size_t node : dead) cluster_.revive(node);
    stop_feed();
    say("the dead are back and have caught up");
  }

  // Kill to the day when Raft has another in its place, less the grace time.
  Span replace(std::size_t voter) {
    const Time begin = now();
    cluster_.kill(voter);
    const auto is_replaced = [&] {
      const auto voters = cluster_.voters();
      return voters.size() == options_.voters && !is_voter(voter) && cluster_.raft_follows();
    };
    demand(is_replaced, milliseconds(options_.grace_ms) + patience(), "replacing a voter");
    return now() - begin - milliseconds(options_.grace_ms);
  }

  void replace_voters() {
    bool is_done = false;
    cluster_.order(cluster_.voters().front(),
                   make_policy(static_cast<std::uint8_t>(options_.voters), options_.grace_ms),
                   minutes(5), [&is_done](const std::optional<node::OrderAnswer>& answer) {
                     is_done = answer && answer->outcome == net::OrderOutcome::kDone;
                   });
    demand([&] { return is_done; }, patience(), "the policy");
    feed_.start(kSlowFeed);
    demand([this] { return cluster_.leader().has_value(); }, seconds(30), "an election");
    auto others = cluster_.voters();
    std::erase(others, *cluster_.leader());
    const std::size_t follower = others[cluster_.rng().below(others.size())];
    report_.follower_replaced = replace(follower);
    say("a voter is replaced");
    demand([this] { return cluster_.leader().has_value(); }, seconds(30), "an election");
    const std::size_t leader = *cluster_.leader();
    report_.leader_replaced = replace(leader);
    say("the leader is replaced");
    cluster_.revive(follower);
    cluster_.revive(leader);
    stop_feed();
  }

  void note_memory() {
    const auto nodes = static_cast<double>(cluster_.size());
    report_.memory.push_back({height(), resident_octets() / nodes, octets_in_use() / nodes});
  }

  void end() {
    cluster_.heal_members();
    demand([this] { return cluster_.is_settled(cluster_.members()); }, patience(), "the end");
    cluster_.verify();
    for (const auto& event : feed_.events())
      if (event.durable && cluster_.chain().placed(event.key) == nullptr) ++report_.unplaced;
    report_.shares_checked = cluster_.work().shares();
    report_.blocks = height();
    report_.messages = cluster_.network().messages();
    report_.elections = cluster_.raft().elections();
    report_.virtual_time = now().since_start;
    report_.trace_hash = cluster_.trace().hash();
    note_memory();
    say("all are the same, and the chain is verified at each");
  }

  void take_apart() {
    std::vector<std::size_t> some = of_kind(false);
    some.resize(std::min(some.size(), kTakenApart));
    for (const std::size_t node : some) cluster_.kill(node);
    const double before = octets_in_use();
    for (const std::size_t node : some) cluster_.scrap(node);
    report_.store_octets = (before - octets_in_use()) / static_cast<double>(some.size());
  }

  const ScaleOptions& options_;
  Cluster cluster_;
  ScaleMeter meter_;
  ScaleFeed feed_;
  ScaleReport report_;
};

}  // namespace

ScaleReport run_scale(const ScaleOptions& options) {
  return ScaleRun(options).run();
}

}  // namespace eventchain::sim
