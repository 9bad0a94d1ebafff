#include <doctest/doctest.h>
#include <poll.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "collector.h"
#include "miner_stages.h"
#include "mining/host_probe.h"

using namespace eventchain;
using namespace eventchain::mining;
using namespace eventchain::mining::process;

namespace {

using State = LendingReport::State;

// A node with its socket; processes come and go.
class NodeSide {
 public:
  explicit NodeSide(Collector& collector) : collector_(collector) {}

  RemoteMiner& start(NodeHello hello = some_hello()) {
    options_.socket = socket();
    options_.hello = hello;
    options_.changed = [this] { reports_.change(); };
    auto started = RemoteMiner::start(options_, collector_.callback());
    REQUIRE_MESSAGE(started.has_value(), started.error().message);
    miner_ = std::move(*started);
    return *miner_;
  }
  void end() { miner_.reset(); }
  std::unique_ptr<Process> make_process(std::uint16_t feature_level = 1) {
    return std::make_unique<Process>(socket(), directory_, feature_level);
  }
  template <class Predicate>
  LendingReport wait_report(Predicate predicate) {
    return reports_.wait(*miner_, predicate);
  }
  LendingReport wait_state(State state) {
    return wait_report([state](const LendingReport& report) { return report.state == state; });
  }
  [[nodiscard]] std::string socket() const { return directory_.file("s"); }
  RemoteMinerOptions& options() { return options_; }

 private:
  Collector& collector_;
  TemporaryDirectory directory_;
  RemoteMinerOptions options_;
  Reports reports_;
  std::unique_ptr<RemoteMiner> miner_;
};

// A process, or a node, that says what the test wants.
class ByHand {
 public:
  explicit ByHand(const std::string& socket) : ByHand(connected(socket)) {}
  explicit ByHand(Descriptor connection) : link_(std::move(connection)) {}

  // The next message; nullopt: the node has hung up.
  std::optional<Message> hear() {
    while (true) {
      auto message = link_.next();
      REQUIRE_MESSAGE(message.has_value(), message.error().message);
      if (*message) return std::move(**message);
      pollfd one{link_.descriptor(), POLLIN, 0};
      poll(&one, 1, -1);
      if (link_.receive() == Link::Came::kEnd) return std::nullopt;
    }
  }
  bool say(const Message& message) { return link_.send(message) && link_.is_free(); }
  // As often as it takes.
  void insist(const Message& message) {
    REQUIRE(link_.send(message));
    while (!link_.is_free()) {
      pollfd one{link_.descriptor(), POLLOUT, 0};
      poll(&one, 1, -1);
      REQUIRE(link_.flush());
    }
  }
  void greet() {
    const auto hello = hear();
    REQUIRE(hello.has_value());
    REQUIRE(std::holds_alternative<NodeHello>(*hello));
    REQUIRE(say(MinerHello{}));
  }
  // Whether the node hangs up, whatever it said before.
  bool is_dropped() {
    constexpr int kGenerousMs = 60'000;
    while (true) {
      pollfd one{link_.descriptor(), POLLIN, 0};
      if (poll(&one, 1, kGenerousMs) == 0) return false;
      if (link_.receive() == Link::Came::kEnd) return true;
      while (link_.next().value_or(std::nullopt)) {
      }
    }
  }

 private:
  static Descriptor connected(const std::string& socket) {
    auto connection = connect_unix(socket);
    REQUIRE_MESSAGE(connection.has_value(), connection.error().message);
    return std::move(*connection);
  }
  Link link_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("without a process the report names the remedy, and the next one takes up the work") {
  Collector collector;
  NodeSide node(collector);
  RemoteMiner& miner = node.start();
  const WorkOrder order = make_order(1);
  miner.mine(order);
  const LendingReport alone = miner.report();
  CHECK(alone.state == State::kNoProcess);
  CHECK(contains(alone.why, "eventchaind mine"));
  CHECK(contains(alone.why, node.socket()));
  CHECK(miner.hashes() == 0);
  std::uint64_t hashes = 0;
  for (int turn = 0; turn < 3; ++turn) {
    auto process = node.make_process();
    collector.wait_for(collector.shares().size() + 10);
    node.wait_report([hashes](const LendingReport& report) {
      return report.state == State::kLends && report.hashes > hashes;
    });
    hashes = miner.hashes();
    process.reset();
    CHECK(contains(node.wait_state(State::kNoProcess).why, "went away"));
    // What dead processes hashed still counts.
    CHECK(miner.hashes() >= hashes);
  }
  std::set<chain::Nonce> distinct;
  for (const ShareFound& share : collector.shares()) {
    CHECK(reference::is_share(order, share.nonce));
    distinct.insert(share.nonce);
  }
  CHECK(distinct.size() == collector.shares().size());
}

TEST_CASE("a process may be there before its node, and outlive it") {
  Collector collector;
  NodeSide node(collector);
  const auto process = node.make_process();
  std::set<chain::Nonce> distinct;
  for (int turn = 0; turn < 3; ++turn) {
    node.start().mine(make_order(2));
    collector.wait_for(collector.shares().size() + 5);
    node.end();
  }
  CHECK(comes_to_rest(*process));
  // It went on where it was: a node that restarts gets nothing twice.
  for (const ShareFound& share : collector.shares()) distinct.insert(share.nonce);
  CHECK(distinct.size() == collector.shares().size());
  CHECK(process->made() == 1);
  const auto is_paused = [](const LendingReport& report) {
    return report.state == State::kStopped && report.reason == LendingReason::kPaused;
  };
  RemoteMiner& paused = node.start();
  paused.pause(true);
  paused.mine(make_order(2));
  node.wait_report(is_paused);
  // What it hashed for the nodes before is not this one's.
  CHECK(paused.hashes() < process->hashed());
  node.end();
  NodeHello other = some_hello();
  other.chain.octets.fill(8);
  node.start(other).mine(make_order(3));
  collector.wait_for(collector.shares().size() + 5);
  CHECK(process->made() == 2);
}

TEST_CASE("a wish holds for the process that comes later") {
  Collector collector;
  NodeSide node(collector);
  RemoteMiner& miner = node.start();
  miner.pause(true);
  miner.limit(9);
  miner.mine(make_order(4));
  std::unique_ptr<Process> process;
  for (int turn = 0; turn < 2; ++turn) {
    process.reset();
    node.wait_state(State::kNoProcess);
    process = node.make_process();
    node.wait_report([](const LendingReport& report) {
      return report.state == State::kStopped && report.reason == LendingReason::kPaused;
    });
    CHECK(process->hashed() == 0);
  }
  miner.pause(false);
  node.wait_report([](const LendingReport& report) {
    return report.state == State::kLends && report.reason == LendingReason::kOperatorLimit;
  });
}

TEST_CASE("a process that hears many orders at once takes up the last") {
  TemporaryDirectory directory;
  const auto listener = UnixListener::open(directory.file("s"), {});
  REQUIRE(listener.has_value());
  const Process process(directory.file("s"), directory);
  pollfd one{listener->number(), POLLIN, 0};
  poll(&one, 1, -1);
  auto visitor = listener->accept();
  REQUIRE(visitor.has_value());
  REQUIRE(visitor->has_value());
  ByHand node(std::move((*visitor)->connection));
  node.insist(some_hello());
  const WorkOrder last = make_order(109);
  node.insist(OperatorWish{});
  for (std::uint64_t seed = 100; seed < 110; ++seed) node.insist(make_order(seed));
  while (true) {
    const auto message = node.hear();
    REQUIRE(message.has_value());
    const auto* const share = std::get_if<ShareFound>(&*message);
    if (share != nullptr && share->template_hash == last.template_hash) break;
  }
}

TEST_CASE("a process that hangs holds nobody up, and learns the newest order alone") {
  Collector collector;
  NodeSide node(collector);
  RemoteMiner& miner = node.start();
  ByHand process(node.socket());
  process.greet();
  node.wait_state(State::kNoWork);
  constexpr std::uint64_t kOrders = 20'000;
  for (std::uint64_t seed = 1; seed <= kOrders; ++seed) {
    miner.mine(make_order(seed));
    if (seed % 1000 == 0) miner.pause(seed % 2000 == 0);
  }
  const WorkOrder last = make_order(kOrders + 1);
  miner.mine(last);
  // The rest was never said: the kernel holds little, and the node one frame.
  std::uint64_t heard = 0;
  while (true) {
    const auto message = process.hear();
    REQUIRE(message.has_value());
    ++heard;
    const auto* const order = std::get_if<WorkOrder>(&*message);
    if (order != nullptr && *order == last) break;
  }
  CHECK(heard < kOrders / 10);
}

TEST_CASE("a process that is silent shows in the report, and another takes its place") {
  Collector collector;
  NodeSide node(collector);
  node.options().silent_after = std::chrono::milliseconds(50);
  RemoteMiner& miner = node.start();
  ByHand mute(node.socket());
  mute.greet();
  miner.mine(make_order(5));
  const LendingReport report = node.wait_state(State::kSilent);
  CHECK(contains(report.why, "has said nothing"));
  CHECK(report.last_word_age >= std::chrono::milliseconds(50));
  REQUIRE(mute.say(LendingReport{}));
  node.wait_state(State::kStopped);
  node.wait_state(State::kSilent);
  const auto process = node.make_process();
  collector.wait_for(5);
  CHECK(mute.is_dropped());
}

TEST_CASE("a second process is refused while the first speaks") {
  Collector collector;
  NodeSide node(collector);
  node.options().silent_after = std::chrono::hours(1);
  node.start();
  ByHand first(node.socket());
  first.greet();
  node.wait_state(State::kNoWork);
  ByHand second(node.socket());
  const auto word = second.hear();
  REQUIRE(word.has_value());
  REQUIRE(std::holds_alternative<Refusal>(*word));
  CHECK(contains(std::get<Refusal>(*word).why, "already"));
  CHECK(second.is_dropped());
  CHECK(first.say(LendingReport{}));
}

TEST_CASE("who says what no miner says is sent away, and the report tells why") {
  Collector collector;
  NodeSide node(collector);
  RemoteMiner& miner = node.start();
  const WorkOrder order = make_order(6);
  miner.mine(order);
  const Message strange[] = {ShareFound{order.template_hash, {}}, LendingReport{}, some_hello(),
                             StopWork{}, OperatorWish{}};
  for (const Message& message : strange) {
    CAPTURE(message.index());
    ByHand process(node.socket());
    REQUIRE(process.say(message));
    CHECK(process.is_dropped());
    CHECK(contains(node.wait_state(State::kNoProcess).why, "no miner says"));
  }
  CHECK(collector.shares().empty());
  ByHand process(node.socket());
  process.greet();
  REQUIRE(process.say(Refusal{"enough"}));
  CHECK(process.is_dropped());
  CHECK(contains(miner.report().why, "enough"));
}

TEST_CASE("a share counts for the present order and the own slot alone") {
  Collector collector;
  NodeSide node(collector);
  RemoteMiner& miner = node.start();
  const WorkOrder old = make_order(7);
  const WorkOrder order = make_order(8);
  ByHand process(node.socket());
  process.greet();
  miner.mine(old);
  miner.mine(order);
  const auto nonce = [](chain::Slot slot, std::uint32_t low) {
    return chain::Nonce{chain::nonce_high(slot, 0, 0), low};
  };
  const chain::Slot strange{static_cast<std::uint16_t>(order.slot.value + 1)};
  REQUIRE(process.say(ShareFound{old.template_hash, nonce(old.slot, 1)}));
  REQUIRE(process.say(ShareFound{order.template_hash, nonce(strange, 2)}));
  REQUIRE(process.say(ShareFound{order.template_hash, nonce(order.slot, 2)}));
  collector.wait_for(1);
  miner.stop();
  REQUIRE(process.say(ShareFound{order.template_hash, nonce(order.slot, 3)}));
  REQUIRE(process.say(LendingReport{}));
  node.wait_report([](const LendingReport& report) { return report.host.processors == 1; });
  const auto shares = collector.shares();
  REQUIRE(shares.size() == 1);
  CHECK(shares[0] == ShareFound{order.template_hash, nonce(order.slot, 2)});
}

TEST_CASE("a flood of words is listened to at the rate that the node chose") {
  Collector collector;
  NodeSide node(collector);
  constexpr std::uint32_t kWords = 500;
  constexpr std::uint32_t kFlood = 2 * kWords + 1;
  node.options().words_per_second = kWords;
  RemoteMiner& miner = node.start();
  const WorkOrder order = make_order(9);
  miner.mine(order);
  const chain::Instant began = monotonic_now();
  ByHand process(node.socket());
  process.greet();
  // It waits for room: what it cannot get rid of is its own trouble.
  for (std::uint32_t i = 0; i < kFlood; ++i)
    process.insist(ShareFound{order.template_hash, {chain::nonce_high(order.slot, 0, i), 0}});
  collector.wait_for(kFlood);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(monotonic_now() - began).count();
  CHECK(collector.shares().size() <= kWords * static_cast<std::size_t>(seconds + 1));
}

TEST_CASE("a miner that cannot do what the chain asks says so, and the report with it") {
  Collector collector;
  NodeSide node(collector);
  NodeHello hello = some_hello();
  hello.work_function = 99;
  node.start(hello);
  {
    const auto process = node.make_process();
    node.wait_report(
        [](const LendingReport& report) { return contains(report.why, "sha256 only"); });
  }
  node.end();
  hello = some_hello();
  hello.feature_level = 2;
  node.start(hello);
  const auto process = node.make_process(1);
  const LendingReport report = node.wait_report(
      [](const LendingReport& one) { return contains(one.why, "feature level 2"); });
  CHECK(report.state == State::kNoProcess);
}

TEST_CASE("a node that cannot listen says why") {
  Collector collector;
  NodeSide node(collector);
  node.start();
  RemoteMinerOptions options;
  options.socket = node.socket();
  const auto second = RemoteMiner::start(options, collector.callback());
  REQUIRE_FALSE(second.has_value());
  CHECK(contains(second.error().message, "two nodes need two sockets"));
}
