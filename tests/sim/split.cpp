#include "tests/sim/split.h"

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "tests/sim/scale_feed.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kRate = 1;  // hashes per second, of a miner
constexpr std::uint32_t kShorter = 5;
constexpr std::size_t kEventsPerBlock = 10;  // so that hardly ever a block has to wait for one
constexpr std::size_t kBodyOctets = 64;
constexpr std::uint64_t kSettlingBlocks = 2;

ClusterOptions cluster_of(const SplitOptions& options) {
  ClusterOptions cluster;
  cluster.seed = options.seed;
  cluster.nodes = options.voters;
  cluster.joiners = options.observers;
  cluster.share_count = options.share_count;
  cluster.interval_ms = options.block_seconds * 1000 / kShorter;
  cluster.heartbeat_ms = 0;
  const std::uint64_t hashes = kRate * options.block_seconds * (options.voters + options.observers);
  EC_ASSERT(hashes % options.share_count == 0, "a share's hashes are a whole number");
  cluster.hashes_per_share = hashes / options.share_count;
  cluster.hashes_per_share_min = cluster.hashes_per_share;
  cluster.is_sparse = true;
  return cluster;
}

double part(Span span, Span of) {
  return std::chrono::duration<double>(span) / std::chrono::duration<double>(of);
}

// Adds up what the miners do with their time.
class Stopwatch : public Onlooker {
 public:
  Stopwatch(std::size_t nodes, const Scheduler& scheduler) : scheduler_(scheduler), works_(nodes) {}

  void sent(std::size_t, const net::Message&, std::size_t) override {}
  void received(std::size_t, const net::Message&) override {}
  void reached(std::size_t, chain::Height height) override {
    reached_.try_emplace(height, scheduler_.now());
  }
  void mines(std::size_t node, const mining::WorkOrder& order) override {
    stops_mining(node);
    works_[node] = Work{order.template_hash, scheduler_.now()};
    targets_.insert(order.header.share_target.bits);
  }
  void stops_mining(std::size_t node) override {
    if (!works_[node]) return;
    const Work work = *works_[node];
    works_[node].reset();
    const Time now = scheduler_.now();
    if (!counts_.contains(node)) return;
    with_work_ += now - std::max(work.since, begin_);
    const auto dead = died_.find(work.on);
    if (dead != died_.end() && dead->second < now)
      dead_ += now - std::max({work.since, begin_, dead->second});
  }
  void found_share(std::size_t node, const mining::WorkOrder& order) override {
    if (counts_.contains(node)) ++shares_;
    if (++found_[order.template_hash] == order.header.share_count)
      died_.emplace(order.template_hash, scheduler_.now());
  }

  // What counts from now on: what these do.
  void begin(std::set<std::size_t> miners) {
    counts_ = std::move(miners);
    begin_ = scheduler_.now();
    with_work_ = dead_ = Span{0};
    shares_ = 0;
    targets_.clear();
  }
  void fill(SplitReport& report) {
    for (const std::size_t node : counts_) stops_mining(node);  // what is in hand counts as well
    report.shares = shares_;
    report.on_dead_templates = part(dead_, with_work_);
    const Span all = static_cast<std::int64_t>(counts_.size()) * (scheduler_.now() - begin_);
    report.without_work = 1 - part(with_work_, all);
    report.target_stayed = targets_.size() == 1;
  }
  [[nodiscard]] Time reached_at(std::uint64_t height) const {
    return reached_.at(chain::Height{height});
  }

 private:
  struct Work {
    chain::TemplateHash on;
    Time since;
  };

  const Scheduler& scheduler_;
  std::vector<std::optional<Work>> works_;  // by node
  std::map<chain::TemplateHash, std::uint32_t> found_;
  std::map<chain::TemplateHash, Time> died_;
  std::map<chain::Height, Time> reached_;
  std::set<std::size_t> counts_;
  std::set<std::uint32_t> targets_;
  Time begin_{};
  Span with_work_{0};
  Span dead_{0};
  std::uint64_t shares_ = 0;
};

void demand(Cluster& cluster, const std::function<bool()>& is_true, Span limit, const char* what) {
  if (!cluster.run_until(is_true, limit))
    throw Violation("I15", fmt::format("{} takes too long: {}", what, cluster.describe()));
}

}  // namespace

SplitReport run_split(const SplitOptions& options) {
  Cluster cluster(cluster_of(options));
  Stopwatch watch(cluster.size(), cluster.scheduler());
  cluster.show_to(&watch);
  cluster.start_genesis();
  demand(
      cluster, [&] { return cluster.leader().has_value(); }, seconds(30), "an election");
  // Admitted faster than the measured blocks are made; the target stays all the while, or the run
  // is void.
  for (std::size_t node = 0; node < cluster.size(); ++node) cluster.miner(node).set_rate(kRate);
  Admission admission(cluster);
  admission.start();
  demand(
      cluster, [&] { return admission.is_done(); }, minutes(600), "the admission");

  // Evenly over voters, which come first, and observers.
  std::set<std::size_t> miners;
  for (std::size_t i = 0; i < options.miners; ++i)
    miners.insert(i * cluster.size() / options.miners);
  for (std::size_t node = 0; node < cluster.size(); ++node)
    cluster.miner(node).set_rate(miners.contains(node) ? kRate : 0);

  SplitReport report;
  report.expected = seconds(options.block_seconds) * static_cast<std::int64_t>(cluster.size()) /
                    static_cast<std::int64_t>(options.miners);
  ScaleFeed feed(cluster, kBodyOctets, chain::Rng(options.seed).fork("feed"));
  feed.start(report.expected / kEventsPerBlock);
  const auto height = [&] { return cluster.chain().height().value; };
  const auto await = [&](std::uint64_t wanted, const char* what) {
    demand(
        cluster, [&] { return height() >= wanted; },
        20 * static_cast<std::int64_t>(wanted - height()) * report.expected, what);
  };
  await(height() + kSettlingBlocks, "the first blocks");
  const std::uint64_t first = height();
  watch.begin(miners);
  await(first + options.blocks, "mining");
  watch.fill(report);
  report.blocks = options.blocks;
  report.block_time = (watch.reached_at(first + options.blocks) - watch.reached_at(first)) /
                      static_cast<std::int64_t>(options.blocks);
  cluster.verify();
  return report;
}

}  // namespace eventchain::sim
