#include "node/runtime.h"

#include <sys/random.h>

#include <chrono>
#include <system_error>
#include <type_traits>
#include <utility>

#include "chain/result.h"
#include "net/limits.h"
#include "net/message_size.h"

namespace eventchain::node {

namespace {

// What peers may have sent that the core has not looked at; beyond it the link of whoever has the
// most waiting is closed. A peer that returns starts from what it lacks, and memory stays bounded.
constexpr std::size_t kPeerBytesMax = std::size_t{128} * 1024 * 1024;
// Of it for one peer: as much as one lets wait on its own side for a slow link.
constexpr std::size_t kPeerShareBytes = net::limits::kSendQueueBytesMax;
// Inputs of one turn: large enough for group commit, small enough that a leader's heartbeat does
// not wait for thousands of batches.
constexpr std::size_t kInputsPerTurnMax = 256;
constexpr std::chrono::milliseconds kDiskWatchEvery{1000};

}  // namespace

Runtime::Runtime(RuntimeOptions options, store::Turns& turns)
    : options_(std::move(options)), turns_(turns), inbox_({kPeerBytesMax, kPeerShareBytes}) {
  if (options_.share_checks)
    checks_ = std::make_unique<ShareChecks>(*options_.share_checks,
                                            [this](Input input) { hand_on(std::move(input)); });
}

Runtime::~Runtime() {
  stop();
}

void Runtime::attach(net::Mesh* mesh, mining::Miner* miner) {
  mesh_ = mesh;
  miner_ = miner;
}

chain::Now Runtime::now() const {
  using std::chrono::duration_cast;
  const auto steady = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {chain::Instant{duration_cast<std::chrono::nanoseconds>(steady)},
          chain::UnixMillis{duration_cast<std::chrono::milliseconds>(wall).count()}};
}

void Runtime::start(std::function<void(RunEnd, std::string)> ended) {
  EC_ASSERT(!thread_.joinable(), "a runtime is started once");
  ended_ = std::move(ended);
  thread_ = std::thread([this] {
    try {
      run();
    } catch (const std::exception& error) {
      ended_(RunEnd::kDiskFailed, error.what());
    }
  });
}

void Runtime::stop() {
  if (checks_) checks_->stop();
  inbox_.close();
  if (thread_.joinable()) thread_.join();
}

void Runtime::run() {
  turns_.begin();
  core_ = options_.make_machine();
  core_->start(now());
  commit(core_->take_effects());
  while (true) {
    const chain::Instant due = core_->next_wakeup();
    const chain::Instant next = commit_by_ ? std::min(due, *commit_by_) : due;
    const std::chrono::steady_clock::time_point wake{next.since_start};
    auto items = inbox_.take(wake, kInputsPerTurnMax);
    if (!items) break;
    turn(std::move(*items));
  }
  if (commit_by_) commit(core_->take_effects());
  if (miner_ != nullptr) miner_->stop();
}

void Runtime::turn(std::vector<Inbox::Item> items) {
  const auto began = std::chrono::steady_clock::now();
  std::vector<StatusQuestion> questions;
  if (!commit_by_) {
    turns_.begin();
    inputs_of_turn_ = 0;
  }
  inputs_of_turn_ += items.size();
  for (auto& item : items) {
    if (auto* input = std::get_if<Input>(&item)) {
      core_->handle(now(), std::move(*input));
    } else {
      questions.push_back(std::move(std::get<StatusQuestion>(item)));
    }
  }
  const chain::Now at = now();
  watch_disk(at);
  if (core_->next_wakeup() <= at.steady) core_->handle(at, Woke{});
  auto step = core_->step(at);
  carry_out_all(step.ahead);
  commit_by_ = step.commit_by;
  std::chrono::nanoseconds waited{};
  if (step.commit_by <= at.steady || !questions.empty() || inputs_of_turn_ >= kInputsPerTurnMax) {
    waited = commit(core_->take_effects());
    commit_by_.reset();
  }
  for (auto& question : questions) question(core_->status());

  const std::lock_guard lock(mutex_);
  if (!commit_by_) ++counters_.turns;
  counters_.inputs += items.size();
  counters_.commit_nanoseconds += static_cast<std::uint64_t>(waited / std::chrono::nanoseconds(1));
  counters_.busy_nanoseconds += static_cast<std::uint64_t>(
      (std::chrono::steady_clock::now() - began) / std::chrono::nanoseconds(1));
}

std::chrono::nanoseconds Runtime::commit(Effects effects) {
  carry_out_all(effects.ahead);
  const auto committing = std::chrono::steady_clock::now();
  turns_.commit();
  const auto waited = std::chrono::steady_clock::now() - committing;
  certified_.store(core_->certified().value);
  if (const auto as_of = core_->as_of()) as_of_.store(as_of->since_start.count());
  carry_out_all(effects.when_durable);
  return waited;
}

void Runtime::carry_out_all(std::vector<Effect>& effects) {
  for (auto& effect : effects) carry_out(effect);
}

void Runtime::watch_disk(const chain::Now& at) {
  if (options_.disk_reserve_bytes == 0 || at.steady - disk_checked_ < kDiskWatchEvery) return;
  disk_checked_ = at.steady;
  std::error_code error;
  const auto space = std::filesystem::space(options_.disk, error);
  const bool nearly_full = !error && space.available < options_.disk_reserve_bytes;
  if (nearly_full == disk_nearly_full_) return;
  disk_nearly_full_ = nearly_full;
  core_->handle(at, DiskSpace{nearly_full});
}

template <class Done>
Done Runtime::take(std::map<RequestId, Done>& waiting, RequestId request) {
  const std::lock_guard lock(mutex_);
  auto node = waiting.extract(request);
  return node.empty() ? Done() : std::move(node.mapped());
}

void Runtime::carry_out(Effect& effect) {
  if (checks_) checks_->see(effect);
  std::visit(
      [this](auto& one) {
        using Kind = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<Kind, Answer>) {
          if (const auto done = take(submits_, one.request)) done(std::move(one));
        } else if constexpr (std::is_same_v<Kind, PendingAnswer>) {
          if (const auto done = take(lookups_, one.request)) done(std::move(one.pending));
        } else if constexpr (std::is_same_v<Kind, ReadReady>) {
          if (const auto done = take(reads_, one.request)) done(one.reached);
        } else if constexpr (std::is_same_v<Kind, OrderAnswer>) {
          if (const auto done = take(orders_, one.request)) done(std::move(one));
        } else if constexpr (std::is_same_v<Kind, Send>) {
          if (mesh_ != nullptr) mesh_->send(one.to, one.message);
        } else if constexpr (std::is_same_v<Kind, HangUp>) {
          if (mesh_ != nullptr) mesh_->hang_up(one.peer, one.reason);
        } else if constexpr (std::is_same_v<Kind, Mine>) {
          if (miner_ != nullptr) miner_->mine(one.order);
        } else if constexpr (std::is_same_v<Kind, StopMining>) {
          if (miner_ != nullptr) miner_->stop();
        } else if constexpr (std::is_same_v<Kind, InHand>) {
          // What checks shares ahead has seen it.
        } else if constexpr (std::is_same_v<Kind, TipMoved>) {
          std::vector<std::shared_ptr<std::function<void(const TipMoved&)>>> listeners;
          {
            const std::lock_guard lock(mutex_);
            for (const auto& [id, listener] : on_tip_) listeners.push_back(listener);
          }
          for (const auto& listener : listeners) (*listener)(one);
        } else if constexpr (std::is_same_v<Kind, MembersChanged>) {
          if (options_.members_changed) options_.members_changed(one);
        } else if constexpr (std::is_same_v<Kind, Removed>) {
          ended_(RunEnd::kRemoved,
                 "this node was removed from the cluster; its data may be archived or purged");
        } else if constexpr (std::is_same_v<Kind, RolledBack>) {
          ended_(RunEnd::kRolledBack, std::move(one.reason));
        } else if constexpr (std::is_same_v<Kind, Outdated>) {
          ended_(RunEnd::kOutdated, std::move(one.reason));
        } else if constexpr (std::is_same_v<Kind, WrongKind>) {
          ended_(RunEnd::kWrongKind, std::move(one.reason));
        } else if constexpr (std::is_same_v<Kind, Evidence>) {
          options_.keep_evidence(one);
        } else {
          static_assert(std::is_same_v<Kind, Notice>);
          options_.log(one);
        }
      },
      effect);
}

RequestId Runtime::next_request() {
  return RequestId{++last_request_};
}

void Runtime::submit(std::vector<chain::HeldEvent> events, WaitFor wait,
                     std::chrono::milliseconds timeout, std::function<void(Answer)> done) {
  ClientSubmit input;
  input.events = std::move(events);
  input.wait = wait;
  input.deadline = now().steady + timeout;
  {
    const std::lock_guard lock(mutex_);
    input.request = next_request();
    submits_.emplace(input.request, std::move(done));
  }
  inbox_.post(Input{std::move(input)});
}

void Runtime::ask_pending(const chain::EventKey& key,
                          std::function<void(std::optional<PendingLookup>)> done) {
  ClientAsksPending input;
  input.key = key;
  {
    const std::lock_guard lock(mutex_);
    input.request = next_request();
    lookups_.emplace(input.request, std::move(done));
  }
  inbox_.post(Input{input});
}

void Runtime::order(net::Order order, std::chrono::milliseconds timeout,
                    std::function<void(OrderAnswer)> done) {
  ClientOrders input;
  input.order = std::move(order);
  input.deadline = now().steady + timeout;
  {
    const std::lock_guard lock(mutex_);
    input.request = next_request();
    orders_.emplace(input.request, std::move(done));
  }
  inbox_.post(Input{std::move(input)});
}

void Runtime::ask_read(std::chrono::milliseconds timeout, std::function<void(bool)> done) {
  ClientReads input;
  input.deadline = now().steady + timeout;
  {
    const std::lock_guard lock(mutex_);
    input.request = next_request();
    reads_.emplace(input.request, std::move(done));
  }
  inbox_.post(Input{input});
}

std::optional<std::chrono::milliseconds> Runtime::age() const {
  const std::chrono::nanoseconds as_of(as_of_.load());
  if (as_of.count() == 0) return std::nullopt;
  const auto age = now().steady.since_start - as_of;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::max(age, age.zero()));
}

void Runtime::ask_status(std::function<void(NodeStatus)> done) {
  inbox_.post(StatusQuestion(std::move(done)));
}

std::uint64_t Runtime::subscribe(std::function<void(const TipMoved&)> on_tip) {
  const std::lock_guard lock(mutex_);
  on_tip_.emplace(++last_subscription_,
                  std::make_shared<std::function<void(const TipMoved&)>>(std::move(on_tip)));
  return last_subscription_;
}

void Runtime::unsubscribe(std::uint64_t subscription) {
  const std::lock_guard lock(mutex_);
  on_tip_.erase(subscription);
}

chain::Salt draw_salt() {
  // The kernel's generator is asked once for many salts: one call costs more than a whole event.
  thread_local std::array<std::uint8_t, 128 * chain::Salt::kSize> drawn;
  thread_local std::size_t used = drawn.size();
  if (used == drawn.size()) {
    std::size_t filled = 0;
    while (filled < drawn.size()) {
      const ssize_t got = getrandom(drawn.data() + filled, drawn.size() - filled, 0);
      EC_ASSERT(got > 0 || errno == EINTR, "the kernel's random generator always answers");
      if (got > 0) filled += static_cast<std::size_t>(got);
    }
    used = 0;
  }
  chain::Salt salt;
  for (auto& octet : salt.octets) octet = std::exchange(drawn[used++], std::uint8_t{0});
  return salt;
}

void Runtime::peer_up(chain::NodeId peer, const net::Hello& hello) {
  inbox_.post(Input{PeerUp{peer, hello.store, hello.feature_level}});
}

void Runtime::peer_down(chain::NodeId peer, std::string reason) {
  options_.log(
      {Notice::Level::kInfo, "link down peer=" + to_hex(peer) + " reason=\"" + reason + "\""});
  if (checks_) checks_->peer_down(peer);
  inbox_.post(Input{PeerDown{peer}});
}

void Runtime::peer_said(chain::NodeId peer, net::Message message) {
  PeerSaid said{peer, std::move(message)};
  if (!checks_) return hand_on(Input{std::move(said)});
  const std::size_t bytes = net::held_bytes(said.message);
  if (auto passes = checks_->take(std::move(said), bytes)) hand_on(std::move(*passes));
}

void Runtime::peer_refused(chain::NodeId peer, chain::Height as_of) {
  inbox_.post(Input{PeerRefused{peer, as_of}});
}

void Runtime::hand_on(Input input) {
  auto* said = std::get_if<PeerSaid>(&input);
  if (said == nullptr) return inbox_.post(std::move(input));
  const std::size_t bytes = net::held_bytes(said->message);
  const auto to_hang_up = inbox_.post_said(std::move(*said), bytes);
  if (!to_hang_up) return;
  {
    const std::lock_guard lock(mutex_);
    ++counters_.inbox_overflows;
  }
  mesh_->hang_up(*to_hang_up, "this node cannot keep up with what the peer sends");
}

void Runtime::share_found(const mining::ShareFound& share) {
  const MinerFound found{share};
  if (!checks_) return inbox_.post(Input{found});
  if (auto passes = checks_->take(found)) inbox_.post(std::move(*passes));
}

Runtime::Counters Runtime::counters() const {
  const std::uint64_t dropped = checks_ ? checks_->dropped() : 0;
  const std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.share_messages_dropped = dropped;
  return counters;
}

}  // namespace eventchain::node
