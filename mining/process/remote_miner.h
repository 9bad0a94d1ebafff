#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "mining/lending.h"
#include "mining/process/link.h"
#include "mining/process/messages.h"
#include "mining/process/unix_socket.h"

namespace eventchain::mining::process {

struct RemoteMinerOptions {
  std::filesystem::path socket;
  std::string group{};  // whose members may be the miner, too; empty: none
  NodeHello hello;
  unsigned cap_percent = 0;  // for the report while there is no process
  // A process that says nothing for this long hangs; it speaks every second of itself.
  std::chrono::milliseconds silent_after{4000};
  // Words that are listened to. A cluster finds a few shares a second.
  std::uint32_t words_per_second = 2000;
  // For people, on the thread that listens; must be short. `changed` after each word, and when the
  // process comes, goes or falls silent.
  std::function<void(const std::string&)> log = [](const std::string&) {};
  std::function<void()> changed = [] {};
};

// A miner that is a process of its own (MinerProcess), as the node sees it. Listens at a socket and
// serves one process; the next is refused unless the first is silent. Owned by the node's shell.
//
// Threading and invariants: those of ThreadMiner; the thread that listens is the one that delivers.
// Nobody ever waits for the process: what it is to know is the newest order and the newest wish,
// which go when there is room. Its words are bounded in size and number, and its shares are
// believed by nobody. A process that dies or hangs costs its shares.
class RemoteMiner : public LendingMiner {
 public:
  using OnShare = std::function<void(const ShareFound&)>;

  // Fails where nobody can listen at the path.
  static chain::Result<std::unique_ptr<RemoteMiner>> start(RemoteMinerOptions options,
                                                           OnShare on_share);
  ~RemoteMiner() override;
  RemoteMiner(const RemoteMiner&) = delete;
  RemoteMiner& operator=(const RemoteMiner&) = delete;

  // Miner
  void mine(const WorkOrder& order) override;
  void stop() override;
  // By all processes there were, as last told.
  [[nodiscard]] std::uint64_t hashes() const override;

  // Lending. A wish outlives the process: the next one hears of it, too.
  [[nodiscard]] LendingReport report() const override;
  void pause(bool wants) override;
  void limit(unsigned percent) override;

 private:
  // What is known of the process that was admitted.
  struct Process {
    pid_t pid = 0;
    bool is_ready = false;  // has said its hello
    chain::Instant heard;   // its last word; at first when it came
    std::optional<LendingReport> report = std::nullopt;
  };

  RemoteMiner(RemoteMinerOptions options, UnixListener listener, OnShare on_share);

  // The thread that listens.
  void run(const std::stop_token& stopping);
  void wait_for_something();
  void let_in();
  void admit(Visitor visitor);
  void listen_to();
  // False: the link has ended.
  bool take(const Message& message);
  void take_report(const LendingReport& report);
  void deliver(const ShareFound& share);
  void speak();
  [[nodiscard]] std::optional<Message> next_word();
  void watch_silence();
  // `why`, for the next to read.
  void hang_up(const std::string& why);
  [[nodiscard]] bool may_listen();

  // constant after construction
  const RemoteMinerOptions options_;
  const UnixListener listener_;
  const OnShare on_share_;

  // owned by the thread that listens
  std::optional<Link> link_;
  bool was_silent_ = false;
  chain::Instant second_began_;
  std::uint32_t words_in_second_ = 0;
  bool has_words_left_ = false;  // that have come and were not looked at
  chain::Instant lets_in_at_;    // not before
  std::string told_;             // the last end in the log: one that comes back is told once
  pid_t refused_ = 0;            // likewise

  // guarded by mutex_
  mutable std::mutex mutex_;
  std::optional<WorkOrder> order_;
  bool order_is_news_ = false;
  OperatorWish wish_;
  bool wish_is_news_ = false;
  std::optional<Process> process_;
  std::string last_end_;      // why there is no process any more; empty: there was none
  std::uint64_t hashes_ = 0;  // of processes that are gone

  WakeDescriptor wake_;
  std::jthread listening_;
};

}  // namespace eventchain::mining::process
