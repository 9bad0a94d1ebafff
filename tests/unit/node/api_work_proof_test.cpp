#include <doctest/doctest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "node/api/work_proof_json.h"
#include "node/api/work_proofs.h"
#include "store/memory_store.h"
#include "tests/unit/node/api_fakes.h"
#include "tests/unit/receipt_store.h"

// Work proofs over HTTP, from a store with a chain that was really worked for and signed.
namespace {

using api_test::FakePort;
namespace chain = eventchain::chain;
namespace net = eventchain::net;
namespace node = eventchain::node;

// A client whose connection has the thread that waits for the answer.
class Client final : public net::http::Responder {
 public:
  void respond(net::http::Response response) override { answer_ = std::move(response); }
  void start_stream(net::http::StreamHead) override {}
  bool send(std::string_view) override { return false; }
  void close() override {}
  [[nodiscard]] bool is_open() const override { return true; }
  void post(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
    is_posted_.notify_one();
  }

  net::http::Response wait() {
    while (!answer_) {
      std::unique_lock lock(mutex_);
      is_posted_.wait(lock, [this] { return !posted_.empty(); });
      const auto work = std::move(posted_.front());
      posted_.pop_front();
      lock.unlock();
      work();
    }
    return *answer_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable is_posted_;
  std::deque<std::function<void()>> posted_;  // guarded by mutex_
  std::optional<net::http::Response> answer_;
};

// Counts what is read of it, and may keep its readers waiting.
class Store final : public eventchain::store::MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  chain::Result<chain::HistoryNode> history_node(std::uint64_t number) override {
    std::unique_lock lock(mutex_);
    ++nodes_read_;
    reader_ = std::this_thread::get_id();
    is_read_.notify_all();
    may_read_.wait(lock, [this] { return !is_held_; });
    lock.unlock();
    return MemoryStore::history_node(number);
  }
  void hold(bool is_held) {
    const std::lock_guard lock(mutex_);
    is_held_ = is_held;
    may_read_.notify_all();
  }
  void wait_for_reader() {
    std::unique_lock lock(mutex_);
    is_read_.wait(lock, [this] { return nodes_read_ > 0; });
  }
  std::size_t nodes_read() {
    const std::lock_guard lock(mutex_);
    return nodes_read_;
  }
  std::thread::id reader() {
    const std::lock_guard lock(mutex_);
    return reader_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable may_read_, is_read_;
  // guarded by mutex_
  std::size_t nodes_read_ = 0;
  std::thread::id reader_;
  bool is_held_ = false;
};

struct Served {
  explicit Served(const receipt_test::ReceiptChain& grown) : store(grown.state.genesis) {
    receipt_test::write_chain(store, grown);
    node::api::ApiOptions options;
    options.genesis = grown.state.genesis;
    api = std::make_unique<node::api::Api>(std::move(options), port, store);
  }

  std::shared_ptr<Client> ask(std::string query) {
    net::http::Request request;
    request.method = "GET";
    request.target = "/v1/work-proof" + std::move(query);
    auto client = std::make_shared<Client>();
    api->handle(std::move(request), client);
    return client;
  }
  net::http::Response get(std::string query) { return ask(std::move(query))->wait(); }

  Store store;
  FakePort port;
  std::unique_ptr<node::api::Api> api;
};

}  // namespace

TEST_CASE("a work proof is served with the parameters asked for, and holds") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  struct Story {
    const char* query;
    chain::WorkSampling sampling;
  };
  for (const Story& story :
       {Story{"", {}}, Story{"?percent=90&bits=8&last=2", {chain::WorkShare::kNineTenths, 8, 2}},
        Story{"?bits=64&last=1024", {chain::WorkShare::kHalf, 64, 1024}}}) {
    INFO(story.query);
    const auto answer = served.get(story.query);
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    CHECK(answer.content_type == "application/json");
    const auto proof = node::api::parse_work_proof(answer.body);
    REQUIRE_MESSAGE(proof.has_value(), proof.error().message);
    CHECK(proof->sampling == story.sampling);
    CHECK(chain::verify_work_proof(*proof, {grown.state.genesis, nullptr, story.sampling})
              .is_proved());
  }
}

TEST_CASE("parameters that no work proof has are refused") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  for (const char* query : {"?percent=51", "?percent=0", "?bits=0", "?bits=65", "?last=0",
                            "?last=1025", "?bits=x", "?bits=", "?bits=-1", "?work=1"}) {
    INFO(query);
    CHECK(served.get(query).status == 400);
  }
}

TEST_CASE("a chain without work, and one without a certificate, say that they have no work proof") {
  const auto idle = receipt_test::receipt_chain(chain::WorkFunction::kNone);
  const auto none = Served(idle).get("");
  CHECK(none.status == 404);
  CHECK(none.body.find("no work to prove") != std::string::npos);
  receipt_test::ReceiptChain young(receipt_test::receipt_genesis());
  young.add({.events = {1}});
  const auto early = Served(young).get("");
  CHECK(early.status == 409);
  CHECK(early.body.find("not-yet") != std::string::npos);
}

TEST_CASE("the last work proof is kept until the chain has moved on") {
  auto grown = receipt_test::receipt_chain();
  Served served(grown);
  const auto first = served.get("?bits=8");
  REQUIRE(first.status == 200);
  const std::size_t read = served.store.nodes_read();
  CHECK(served.get("?bits=8").body == first.body);
  CHECK(served.store.nodes_read() == read);
  CHECK(served.get("?bits=9").body != first.body);
  CHECK(served.store.nodes_read() > read);
}

TEST_CASE("work proofs are made one at a time, beside the threads that serve, and few wait") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  served.store.hold(true);
  std::vector<std::shared_ptr<Client>> waiting{served.ask("?bits=8")};
  served.store.wait_for_reader();
  for (std::size_t i = 0; i < node::api::WorkProofs::kWaitingMax; ++i)
    waiting.push_back(served.ask("?bits=8"));
  const auto refused = served.get("?bits=8");
  CHECK(refused.status == 503);
  CHECK(refused.body.find("too many work proofs") != std::string::npos);
  served.store.hold(false);
  for (const auto& client : waiting) CHECK(client->wait().status == 200);
  CHECK(served.store.reader() != std::this_thread::get_id());
}

TEST_CASE("an API that goes while a work proof is being made leaves nobody behind") {
  const auto grown = receipt_test::receipt_chain();
  Served served(grown);
  std::vector<std::shared_ptr<Client>> waiting;
  for (int i = 0; i < 8; ++i) waiting.push_back(served.ask("?bits=" + std::to_string(i + 1)));
  served.api.reset();
  CHECK(waiting.size() == 8);
}
