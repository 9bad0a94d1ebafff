#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "mining/lending.h"
#include "mining/process/link.h"
#include "mining/process/messages.h"

namespace eventchain::mining::process {

struct MinerProcessOptions {
  std::filesystem::path socket;
  std::uint16_t feature_level = 0;  // that this program can do

  using OnShare = std::function<void(const ShareFound&)>;
  // The miner for the node's chain and work function, which it may not know: then the error goes to
  // the node, too. `changed` is to be called when there is something new to report; by any thread.
  std::function<chain::Result<std::unique_ptr<LendingMiner>>(const NodeHello&, OnShare,
                                                             std::function<void()> changed)>
      make_miner;
  // For people, on the thread that serves; must be short.
  std::function<void(const std::string&)> log = [](const std::string&) {};

  std::chrono::milliseconds report_every{1000};
  std::chrono::milliseconds again_after{100};  // doubled after each failure
  std::chrono::milliseconds again_after_max{2000};
};

// The other side of a RemoteMiner: what `eventchaind mine` is. Connects to a node, mines what it is
// told and tells what it finds; connects again when the node went away, and mines nothing
// meanwhile. Knows no keys and no files. Owned by the program.
//
// Lifecycle: mines from construction to destruction. The miner lives on between two connections to
// a node of the same chain, so that it never hashes anything twice. Shares are held in a bounded
// queue: a node that does not take them loses the newest.
class MinerProcess {
 public:
  explicit MinerProcess(MinerProcessOptions options);
  ~MinerProcess();
  MinerProcess(const MinerProcess&) = delete;
  MinerProcess& operator=(const MinerProcess&) = delete;

 private:
  void run(const std::stop_token& stopping);
  // Serves until the node goes away; why it ended.
  std::string serve(const std::stop_token& stopping);
  void wait_for_something();
  // Empty, or why the link has ended; so in all that return a text.
  std::string listen_to();
  std::string take(const Message& message);
  std::string greet(const NodeHello& hello);
  std::string speak();
  [[nodiscard]] std::optional<Message> next_word();
  [[nodiscard]] LendingReport own_report();
  void found(const ShareFound& share);

  // constant after construction
  const MinerProcessOptions options_;

  // owned by the thread that serves
  std::optional<Link> link_;
  std::optional<NodeHello> hello_;  // what miner_ was made for
  std::unique_ptr<LendingMiner> miner_;
  bool is_greeted_ = false;
  std::uint64_t hashes_before_ = 0;  // this connection
  std::optional<Message> order_;     // the newest, or a stop, that was not given on yet
  std::optional<chain::TemplateHash> mined_;
  chain::Instant reported_;

  // guarded by mutex_
  std::mutex mutex_;
  std::deque<ShareFound> found_;
  bool has_news_ = false;

  WakeDescriptor wake_;
  std::jthread serving_;
};

}  // namespace eventchain::mining::process
