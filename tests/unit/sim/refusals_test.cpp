#include <doctest/doctest.h>

#include "tests/sim/cluster.h"

using namespace eventchain;
using namespace eventchain::sim;
using namespace std::chrono_literals;

namespace {

// A cluster of one that leads.
class Refusals {
 public:
  Refusals() : cluster_(of_one()) {
    cluster_.start_genesis();
    cluster_.run_until([this] { return cluster_.leader().has_value(); }, 30s);
  }
  Cluster& cluster() { return cluster_; }
  // What becomes of a new event.
  std::optional<node::EventOutcome::State> submit() {
    chain::Event event;
    event.set("id", std::to_string(++asked_));
    event.set("source", std::string("/test"));
    event.set("type", std::string("test"));
    state_.reset();
    cluster_.submit(0, {cluster_.make_event(chain::encode_body(event))}, node::WaitFor::kDurable,
                    5s, [this](const std::optional<node::Answer>& answer) {
                      if (answer) state_ = answer->outcomes.front().state;
                    });
    cluster_.run_until([this] { return state_.has_value(); }, 10s);
    return state_;
  }

 private:
  static ClusterOptions of_one() {
    ClusterOptions options;
    options.nodes = 1;
    return options;
  }

  Cluster cluster_;
  int asked_ = 0;
  std::optional<node::EventOutcome::State> state_;
};

using State = node::EventOutcome::State;

}  // namespace

TEST_CASE("whose disk is full takes nothing in until it has room") {
  Refusals test;
  CHECK(test.submit() == State::kDurable);
  test.cluster().fill_disk(0, true);
  CHECK(test.submit() == State::kDiskFull);
  test.cluster().fill_disk(0, false);
  CHECK(test.submit() == State::kDurable);
}

TEST_CASE("who drains takes nothing in until it drains no more, or has started again") {
  Refusals test;
  test.cluster().drain(0, true);
  CHECK(test.submit() == State::kDraining);
  test.cluster().drain(0, false);
  CHECK(test.submit() == State::kDurable);
  test.cluster().drain(0, true);
  test.cluster().kill(0);
  test.cluster().start(0);
  test.cluster().run_until([&test] { return test.cluster().leader().has_value(); }, 30s);
  CHECK(test.submit() == State::kDurable);
}

TEST_CASE("a refusal with nothing behind it is a lie") {
  Refusals test;
  // Past the harness, which thus knows of no reason.
  test.cluster().host(0).post(node::DiskSpace{true});
  CHECK_THROWS_WITH_AS(test.submit(), doctest::Contains("nobody has told it so"), Violation);
}

TEST_CASE("who should refuse and does not is caught") {
  Refusals test;
  test.cluster().fill_disk(0, true);
  test.cluster().host(0).post(node::DiskSpace{false});
  CHECK_THROWS_WITH_AS(test.submit(), doctest::Contains("something else than why"), Violation);
}

TEST_CASE("a question that is open is known to be") {
  Refusals test;
  test.cluster().host(0).pause();
  test.cluster().read(0, 1s, [](const std::optional<bool>&) {});
  CHECK(test.cluster().open_questions().empty());  // it could not answer
  test.cluster().host(0).resume();
  CHECK(test.cluster().open_questions().size() == 1);
  test.cluster().run_for(2s);
  CHECK(test.cluster().open_questions().empty());
}
