#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "mining/work.h"
#include "net/asio/mesh.h"
#include "node/inbox.h"
#include "node/machine.h"
#include "node/port.h"
#include "node/share_checks.h"
#include "store/chain_store.h"

namespace eventchain::node {

// A fresh salt from the operating system's generator. Thread-safe.
chain::Salt draw_salt();

struct RuntimeOptions {
  // Makes the machine on its store: on the core thread, inside the first turn.
  std::function<std::unique_ptr<Machine>()> make_machine;
  std::filesystem::path disk;            // whose free space is watched
  std::uint64_t disk_reserve_bytes = 0;  // below this intake stops
  // Where checking a share takes long; without it the core checks each when it comes.
  std::optional<ShareChecksOptions> share_checks;
  std::function<void(const Notice&)> log = [](const Notice&) {};
  // On the core thread, once for each fork that is met: may write a small file.
  std::function<void(const Evidence&)> keep_evidence = [](const Evidence&) {};
  // On the core thread: must only hand over.
  std::function<void(const MembersChanged&)> members_changed;
};

// Why a node cannot go on, or must not.
enum class RunEnd : std::uint8_t {
  kDiskFailed,
  kRemoved,     // it is no member any more
  kRolledBack,  // its disk is an older copy of itself
  kOutdated,    // its program cannot do the cluster's feature level
  kWrongKind,   // a light member that runs as a full one, or the reverse
};

// The shell around the core, a full node's or a light member's: one thread that drives turns, and
// the hand-over to links, miner and API. It decides nothing. begin turn -> inputs -> effects taken
// -> commit -> effects carried out. A turn for which nobody waits stays open until its time has
// come or somebody does.
//
// Lifecycle: construct; give it links and miner with attach(); start(); stop(). The store whose
// turns it drives, the mesh and the miner outlive it. `ended` is called on the core thread when the
// node cannot go on or must not; the process is expected to exit then.
class Runtime : public NodePort, public net::MeshHandler {
 public:
  Runtime(RuntimeOptions options, store::Turns& turns);
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // `mesh` may be null for a cluster of one, `miner` for a node that lends nothing.
  void attach(net::Mesh* mesh, mining::Miner* miner);
  void start(std::function<void(RunEnd, std::string)> ended);
  void stop();  // idempotent; answers nobody any more

  // NodePort
  void submit(std::vector<chain::HeldEvent> events, WaitFor wait, std::chrono::milliseconds timeout,
              std::function<void(Answer)> done) override;
  void ask_pending(const chain::EventKey& key,
                   std::function<void(std::optional<PendingLookup>)> done) override;
  void ask_read(std::chrono::milliseconds timeout, std::function<void(bool)> done) override;
  void order(net::Order order, std::chrono::milliseconds timeout,
             std::function<void(OrderAnswer)> done) override;
  void drain(bool wants) override { inbox_.post(Input{OperatorDrains{wants}}); }
  [[nodiscard]] std::optional<std::chrono::milliseconds> age() const override;
  [[nodiscard]] chain::Height certified() const override {
    return chain::Height{certified_.load()};
  }
  void ask_status(std::function<void(NodeStatus)> done) override;
  std::uint64_t subscribe(std::function<void(const TipMoved&)> on_tip) override;
  void unsubscribe(std::uint64_t subscription) override;
  chain::Salt draw_salt() override { return node::draw_salt(); }

  // MeshHandler
  void peer_up(chain::NodeId peer, const net::Hello& hello) override;
  void peer_down(chain::NodeId peer, std::string reason) override;
  void peer_said(chain::NodeId peer, net::Message message) override;
  void peer_refused(chain::NodeId peer, chain::Height as_of) override;

  void share_found(const mining::ShareFound& share);

  struct Counters {
    std::uint64_t turns = 0;
    std::uint64_t inputs = 0;
    std::uint64_t commit_nanoseconds = 0;  // waiting for the disk
    std::uint64_t busy_nanoseconds = 0;    // everything but waiting for inputs
    std::uint64_t inbox_overflows = 0;
    std::uint64_t share_messages_dropped = 0;
  };
  [[nodiscard]] Counters counters() const;

 private:
  [[nodiscard]] chain::Now now() const;
  void run();
  void turn(std::vector<Inbox::Item> items);
  // Ends the turn; how long the disk took.
  std::chrono::nanoseconds commit(Effects effects);
  void carry_out_all(std::vector<Effect>& effects);
  void carry_out(Effect& effect);
  // Who waits for the answer to a request, and does not any more; empty if nobody does.
  template <class Done>
  Done take(std::map<RequestId, Done>& waiting, RequestId request);
  // To the core; whose messages take more than their share is hung up on.
  void hand_on(Input input);
  void watch_disk(const chain::Now& at);
  RequestId next_request();

  // constant after construction or attach()
  const RuntimeOptions options_;
  store::Turns& turns_;
  net::Mesh* mesh_ = nullptr;
  mining::Miner* miner_ = nullptr;
  std::function<void(RunEnd, std::string)> ended_;

  Inbox inbox_;
  std::unique_ptr<ShareChecks> checks_;  // thread-safe; null where checking takes no time
  // Machine::as_of() of the last durable turn, nanoseconds on the monotonic clock; 0: never.
  std::atomic<std::int64_t> as_of_{0};
  std::atomic<std::uint64_t> certified_{0};
  std::thread thread_;

  // owned by the core thread
  std::unique_ptr<Machine> core_;
  chain::Instant disk_checked_;
  bool disk_nearly_full_ = false;
  std::optional<chain::Instant> commit_by_;  // of a turn that stays open
  std::size_t inputs_of_turn_ = 0;

  // guarded by mutex_
  mutable std::mutex mutex_;
  std::uint64_t last_request_ = 0;
  std::uint64_t last_subscription_ = 0;
  std::map<RequestId, std::function<void(Answer)>> submits_;
  std::map<RequestId, std::function<void(std::optional<PendingLookup>)>> lookups_;
  std::map<RequestId, std::function<void(bool)>> reads_;
  std::map<RequestId, std::function<void(OrderAnswer)>> orders_;
  std::map<std::uint64_t, std::shared_ptr<std::function<void(const TipMoved&)>>> on_tip_;
  Counters counters_;
};

}  // namespace eventchain::node
