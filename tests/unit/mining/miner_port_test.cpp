#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "collector.h"
#include "miner_stages.h"
#include "reference.h"

// What every miner promises the node, whatever it is made of: threads, threads with a governor, or
// a process of its own.

using namespace eventchain;
using namespace eventchain::mining;

#define EVERY_MINER ThreadStage, GovernedStage, RemoteStage
#define EVERY_LENDING_MINER GovernedStage, RemoteStage

TEST_CASE_TEMPLATE("a miner finds valid shares of its slot on every thread, none twice", Stage,
                   EVERY_MINER) {
  const WorkOrder order = make_order(1);
  Collector collector;
  Stage stage(collector.callback());
  Miner& miner = stage.miner();
  miner.mine(order);
  collector.wait_until([](const std::vector<ShareFound>& shares) {
    std::set<unsigned> threads;
    for (const ShareFound& share : shares) threads.insert(thread_of(share.nonce));
    return threads.size() == 2 && shares.size() >= 300;
  });
  miner.stop();
  std::set<chain::Nonce> distinct;
  for (const ShareFound& share : collector.shares()) {
    CHECK(share.template_hash == order.template_hash);
    CHECK(share.nonce.slot() == order.slot);
    CHECK(thread_of(share.nonce) < 2);
    CHECK(reference::is_share(order, share.nonce));
    distinct.insert(share.nonce);
  }
  CHECK(distinct.size() == collector.shares().size());
  // A process tells them now and then.
  while (miner.hashes() == 0) std::this_thread::yield();
}

TEST_CASE_TEMPLATE("after a new order no share of the old one is delivered", Stage, EVERY_MINER) {
  Collector collector;
  Stage stage(collector.callback());
  Miner& miner = stage.miner();
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("order ", seed);
    const WorkOrder order = make_order(seed);
    miner.mine(order);
    const std::size_t before = collector.shares().size();
    collector.wait_for(before + 3);
    const std::vector<ShareFound> shares = collector.shares();
    for (std::size_t i = before; i < shares.size(); ++i) {
      CHECK(shares[i].template_hash == order.template_hash);
      CHECK(reference::is_share(order, shares[i].nonce));
    }
  }
}

TEST_CASE_TEMPLATE("after stop nothing is delivered, and the next order starts the miner again",
                   Stage, EVERY_MINER) {
  Collector collector;
  Stage stage(collector.callback());
  Miner& miner = stage.miner();
  miner.stop();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    miner.mine(make_order(seed));
    const std::size_t before = collector.shares().size();
    collector.wait_for(before + 1);
    miner.stop();
    const std::size_t stopped_at = collector.shares().size();
    miner.stop();
    // Another miner's shares show that time passes and the stopped one stays silent.
    Collector witness;
    ThreadMiner other({}, witness.callback());
    other.mine(make_order(seed + 1000));
    witness.wait_for(5);
    CHECK(collector.shares().size() == stopped_at);
  }
}

TEST_CASE_TEMPLATE("an order given again, at once or after a stop, never repeats a share", Stage,
                   EVERY_MINER) {
  const WorkOrder a = make_order(21);
  const WorkOrder b = make_order(22);
  Collector collector;
  Stage stage(collector.callback());
  Miner& miner = stage.miner();
  for (int turn = 0; turn < 5; ++turn) {
    miner.mine(a);
    miner.mine(a);
    collector.wait_for(collector.shares().size() + 5);
    miner.stop();
    miner.mine(a);
    collector.wait_for(collector.shares().size() + 5);
    miner.mine(b);
  }
  miner.stop();
  std::set<std::pair<chain::TemplateHash, chain::Nonce>> distinct;
  for (const ShareFound& share : collector.shares())
    distinct.insert({share.template_hash, share.nonce});
  CHECK(distinct.size() == collector.shares().size());
}

TEST_CASE_TEMPLATE("the last of many orders wins, however fast they come", Stage, EVERY_MINER) {
  Collector collector;
  Stage stage(collector.callback());
  Miner& miner = stage.miner();
  for (std::uint64_t seed = 1; seed <= 500; ++seed) miner.mine(make_order(seed));
  const WorkOrder last = make_order(501);
  miner.mine(last);
  const std::size_t before = collector.shares().size();
  collector.wait_for(before + 10);
  const std::vector<ShareFound> shares = collector.shares();
  for (std::size_t i = before; i < shares.size(); ++i) {
    CHECK(shares[i].template_hash == last.template_hash);
    CHECK(reference::is_share(last, shares[i].nonce));
  }
}

TEST_CASE_TEMPLATE("a flood of shares is delivered in order, and a stop ends it", Stage,
                   EVERY_MINER) {
  Collector collector;
  Stage stage(collector.callback());
  Miner& miner = stage.miner();
  miner.mine(make_flood(3));
  collector.wait_for(5000);
  miner.stop();
  // With a target that everything meets, the nonces of a thread have no gap.
  std::map<unsigned, std::vector<chain::Nonce>> by_thread;
  for (const ShareFound& share : collector.shares())
    by_thread[thread_of(share.nonce)].push_back(share.nonce);
  for (const auto& [thread, nonces] : by_thread) {
    CHECK(std::set<chain::Nonce>(nonces.begin(), nonces.end()).size() == nonces.size());
    if (!Stage::kDeliversAll) continue;
    for (std::size_t at = 0; at < nonces.size(); ++at) {
      const std::uint64_t column = at % Sha256Search::kTileWidth;
      const auto row = static_cast<std::uint32_t>(at / Sha256Search::kTileWidth);
      REQUIRE(nonces[at] == chain::Nonce{nonces.front().high + column, Sha256Search::low_at(row)});
    }
  }
}

TEST_CASE_TEMPLATE("a miner can be destroyed unused, stopped, mining or in a flood", Stage,
                   EVERY_MINER) {
  Collector collector;
  { Stage stage(collector.callback()); }
  {
    Stage stage(collector.callback());
    Miner& miner = stage.miner();
    miner.mine(make_order(31));
    miner.stop();
  }
  {
    Stage stage(collector.callback());
    Miner& miner = stage.miner();
    miner.mine(make_order(32));
    collector.wait_for(1);
  }
  {
    Stage stage(collector.callback());
    Miner& miner = stage.miner();
    miner.mine(make_flood(33));
    collector.wait_for(collector.shares().size() + 1000);
  }
}

TEST_CASE_TEMPLATE("a delivery in progress ends before a stop returns", Stage, EVERY_MINER) {
  const WorkOrder flood = make_flood(41);
  std::atomic<bool> inside{false};
  std::atomic<std::uint64_t> delivered{0};
  Stage stage([&](const ShareFound&) {
    inside = true;
    ++delivered;
    delivered.notify_all();
    // Long enough that a stop which did not wait would return in here, sooner or later.
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
    inside = false;
  });
  Miner& miner = stage.miner();
  for (int turn = 0; turn < 200; ++turn) {
    const std::uint64_t before = delivered;
    miner.mine(flood);
    delivered.wait(before);
    miner.stop();
    CHECK_FALSE(inside);
  }
}

TEST_CASE_TEMPLATE("an operator pauses a miner and lets it go on, and so does a file", Stage,
                   EVERY_LENDING_MINER) {
  Collector collector;
  Stage stage(collector.callback());
  const auto more = [&collector] { collector.wait_for(collector.shares().size() + 3); };
  stage.miner().mine(make_order(71));
  more();
  stage.wait_report([](const LendingReport& report) {
    return report.state == LendingReport::State::kLends && report.hashes > 0;
  });

  stage.lending().pause(true);
  CHECK(stage.lending().report().wish.pauses);
  stage.wait_report([](const LendingReport& report) {
    return report.state == LendingReport::State::kStopped &&
           report.reason == LendingReason::kPaused;
  });
  CHECK(comes_to_rest(stage));
  stage.miner().mine(make_order(72));
  CHECK(comes_to_rest(stage));
  stage.lending().pause(false);
  more();

  std::ofstream(stage.kill_switch()) << "";
  stage.wait_report(
      [](const LendingReport& report) { return report.reason == LendingReason::kKillSwitch; });
  CHECK(comes_to_rest(stage));
  std::filesystem::remove(stage.kill_switch());
  more();
}

TEST_CASE_TEMPLATE("a limit is obeyed and told, and a hundred percent takes it back", Stage,
                   EVERY_LENDING_MINER) {
  Collector collector;
  Stage stage(collector.callback());
  stage.miner().mine(make_order(73));
  stage.lending().limit(7);
  CHECK(stage.lending().report().wish.limit_percent == 7);
  const LendingReport limited = stage.wait_report(
      [](const LendingReport& report) { return report.reason == LendingReason::kOperatorLimit; });
  CHECK(limited.may_lend == doctest::Approx(0.07));
  stage.lending().limit(100);
  const LendingReport whole = stage.wait_report(
      [](const LendingReport& report) { return report.reason == LendingReason::kWhole; });
  CHECK(whole.may_lend == doctest::Approx(1));
  CHECK_FALSE(whole.wish.limit_percent.has_value());
  CHECK(whole.host.is_isolated);
  CHECK(whole.cap_percent == 100);
}

TEST_CASE_TEMPLATE("without an order a miner says that there is no work", Stage,
                   EVERY_LENDING_MINER) {
  Collector collector;
  Stage stage(collector.callback());
  stage.miner().mine(make_order(74));
  collector.wait_for(3);
  stage.miner().stop();
  const LendingReport report = stage.lending().report();
  CHECK(report.state == LendingReport::State::kNoWork);
  CHECK(report.threads == 0);
  CHECK(report.why.find("no template") != std::string::npos);
}
