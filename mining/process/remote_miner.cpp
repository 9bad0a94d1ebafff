#include "mining/process/remote_miner.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "mining/host_probe.h"

namespace eventchain::mining::process {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::nanoseconds kSecond = std::chrono::seconds(1);
// Words in one go; then the node's own are looked at again.
constexpr int kWordsAtOnce = 64;

// Let in, or refused, in one go.
constexpr int kVisitorsAtOnce = 8;

// What a process claims must not turn the count around.
std::uint64_t added(std::uint64_t one, std::uint64_t other) {
  return one + std::min(other, std::numeric_limits<std::uint64_t>::max() - one);
}

milliseconds whole_milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::ceil<milliseconds>(std::max(time, std::chrono::nanoseconds(0)));
}

std::string seconds_of(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).count());
}

std::string name_of(pid_t pid) {
  // Where the process lives in another namespace the kernel has no number for it.
  return pid > 0 ? "the miner process " + std::to_string(pid) : std::string("the miner process");
}

}  // namespace

chain::Result<std::unique_ptr<RemoteMiner>> RemoteMiner::start(RemoteMinerOptions options,
                                                               OnShare on_share) {
  auto listener = UnixListener::open(options.socket, options.group);
  if (!listener) return tl::unexpected(listener.error());
  return std::unique_ptr<RemoteMiner>(
      new RemoteMiner(std::move(options), std::move(*listener), std::move(on_share)));
}

RemoteMiner::RemoteMiner(RemoteMinerOptions options, UnixListener listener, OnShare on_share)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      on_share_(std::move(on_share)),
      listening_([this](const std::stop_token& stopping) { run(stopping); }) {}

RemoteMiner::~RemoteMiner() {
  listening_.request_stop();
  wake_.notify();
  listening_.join();
}

void RemoteMiner::mine(const WorkOrder& order) {
  {
    const std::lock_guard lock(mutex_);
    if (order_ == order) return;
    order_ = order;
    order_is_news_ = true;
  }
  wake_.notify();
}

void RemoteMiner::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!order_) return;
    order_.reset();
    order_is_news_ = true;
  }
  wake_.notify();
}

std::uint64_t RemoteMiner::hashes() const {
  const std::lock_guard lock(mutex_);
  return added(hashes_, process_ && process_->report ? process_->report->hashes : 0);
}

void RemoteMiner::pause(bool wants) {
  {
    const std::lock_guard lock(mutex_);
    wish_.pauses = wants;
    wish_is_news_ = true;
  }
  wake_.notify();
}

void RemoteMiner::limit(unsigned percent) {
  EC_ASSERT(percent >= 1 && percent <= 100, "a limit is 1 to 100 percent");
  {
    const std::lock_guard lock(mutex_);
    wish_.limit_percent = percent < 100 ? std::optional(percent) : std::nullopt;
    wish_is_news_ = true;
  }
  wake_.notify();
}

LendingReport RemoteMiner::report() const {
  const std::lock_guard lock(mutex_);
  LendingReport report;
  if (process_ && process_->report) {
    report = *process_->report;
  } else {
    report.host = {.processors = 0, .cores = 0, .is_isolated = false};
    report.cap_percent = options_.cap_percent;
  }
  report.wish = wish_;
  report.hashes = added(report.hashes, hashes_);
  if (process_ && !process_->is_ready) {
    report.state = LendingReport::State::kNoProcess;
    report.why = name_of(process_->pid) +
                 " has connected and not said yet that it mines; if it stays so, end it and start "
                 "another";
    return report;
  }
  if (!process_) {
    report.state = LendingReport::State::kNoProcess;
    report.why = "no miner process is connected; run \"eventchaind mine\" with mining.socket = " +
                 options_.socket.string() +
                 (last_end_.empty() ? std::string() : "; the last one: " + last_end_);
    return report;
  }
  const std::chrono::nanoseconds age = monotonic_now() - process_->heard;
  report.last_word_age = std::chrono::floor<milliseconds>(age);
  if (age >= options_.silent_after) {
    report.state = LendingReport::State::kSilent;
    report.threads = 0;
    report.lent = 0;
    report.hash_rate = 0;
    report.why = name_of(process_->pid) + " has said nothing for " + seconds_of(age) +
                 " s: it is stopped or hangs; end it and start another";
  } else if (!order_) {
    report.show_no_work();
  } else if (report.state == LendingReport::State::kNoWork) {
    // What it told is older than the order.
    report.state = LendingReport::State::kStopped;
    report.reason = LendingReason::kMeasuring;
    report.why = "stopped: the order is on its way to " + name_of(process_->pid);
  }
  return report;
}

void RemoteMiner::run(const std::stop_token& stopping) {
  while (!stopping.stop_requested()) {
    wait_for_something();
    wake_.forget();
    // First, so that who comes after one that went is not refused for its sake.
    if (link_) listen_to();
    let_in();
    if (link_) speak();
    watch_silence();
  }
}

void RemoteMiner::let_in() {
  if (monotonic_now() < lets_in_at_) return;
  // Who comes again and again must not keep this thread from its work.
  for (int visitors = 0; visitors < kVisitorsAtOnce; ++visitors) {
    auto visitor = listener_.accept();
    if (!visitor) {
      lets_in_at_ = monotonic_now() + kSecond;
      if (std::exchange(told_, visitor.error().message) != visitor.error().message)
        options_.log(told_);
      return;
    }
    if (!*visitor) return;
    admit(std::move(**visitor));
  }
}

void RemoteMiner::wait_for_something() {
  std::array<pollfd, 3> all{};
  all[0] = {wake_.number(), POLLIN, 0};
  all[1] = {listener_.number(), POLLIN, 0};
  all[2].fd = -1;
  milliseconds until{-1};
  const chain::Instant now = monotonic_now();
  if (now < lets_in_at_) {
    all[1].fd = -1;
    until = whole_milliseconds(lets_in_at_ - now);
  }
  if (link_) {
    const bool listens = may_listen();
    all[2].events = static_cast<short>((listens ? POLLIN : 0) | (link_->is_free() ? 0 : POLLOUT));
    // With nothing to ask for, an end of the link would be told again and again.
    if (all[2].events != 0) all[2].fd = link_->descriptor();
    std::optional<milliseconds> limit;
    if (listens && has_words_left_) {
      limit = milliseconds(0);
    } else if (!listens) {
      limit = whole_milliseconds(second_began_ + kSecond - now);
    } else if (!was_silent_) {
      const std::lock_guard lock(mutex_);
      limit = whole_milliseconds(process_->heard + options_.silent_after - now);
    }
    if (limit) until = until.count() < 0 ? *limit : std::min(until, *limit);
  }
  poll(all.data(), all.size(),
       static_cast<int>(std::min<milliseconds::rep>(until.count(), 60'000)));
}

bool RemoteMiner::may_listen() {
  const chain::Instant now = monotonic_now();
  if (now - second_began_ >= kSecond) {
    second_began_ = now;
    words_in_second_ = 0;
  }
  return words_in_second_ < options_.words_per_second;
}

void RemoteMiner::admit(Visitor visitor) {
  Link link(std::move(visitor.connection));
  if (!visitor.is_admitted) {
    if (std::exchange(refused_, visitor.pid) != visitor.pid)
      options_.log("process " + std::to_string(visitor.pid) +
                   " was refused as a miner: its user is neither this node's nor root, nor in "
                   "mining.socket_group");
    link.send(
        Refusal{"this process may not mine for the node; run it as the node's user, or as a "
                "member of mining.socket_group"});
    return;
  }
  if (link_ && !was_silent_) {
    const std::lock_guard lock(mutex_);
    link.send(Refusal{name_of(process_->pid) + " serves this node already"});
    return;
  }
  if (link_) hang_up("another took its place, because it said nothing");
  {
    const std::lock_guard lock(mutex_);
    process_ = Process{.pid = visitor.pid, .heard = monotonic_now()};
  }
  was_silent_ = false;
  link_ = std::move(link);
  if (!link_->send(options_.hello)) hang_up("it went away");
}

void RemoteMiner::listen_to() {
  int words = 0;
  has_words_left_ = true;
  while (words < kWordsAtOnce && may_listen()) {
    const auto message = link_->next();
    if (!message) return hang_up(message.error().message);
    if (*message) {
      ++words;
      ++words_in_second_;
      if (!take(**message)) return;
      continue;
    }
    switch (link_->receive()) {
      case Link::Came::kSomething:
        break;
      case Link::Came::kNothing:
        has_words_left_ = false;
        return;
      case Link::Came::kEnd:
        return hang_up("it went away");
    }
  }
}

bool RemoteMiner::take(const Message& message) {
  bool is_ready = false;
  {
    const std::lock_guard lock(mutex_);
    process_->heard = monotonic_now();
    is_ready = std::exchange(process_->is_ready,
                             process_->is_ready || std::holds_alternative<MinerHello>(message));
    if (!is_ready && process_->is_ready) {
      wish_is_news_ = true;
      order_is_news_ = order_.has_value();
      last_end_.clear();
    }
  }
  if (const auto* refusal = std::get_if<Refusal>(&message)) {
    hang_up(refusal->why);
    return false;
  }
  if (!is_ready && std::holds_alternative<MinerHello>(message)) {
    told_.clear();
    options_.log("a miner process is connected");
  } else if (const auto* share = std::get_if<ShareFound>(&message); share != nullptr && is_ready) {
    deliver(*share);
  } else if (const auto* report = std::get_if<LendingReport>(&message);
             report != nullptr && is_ready) {
    take_report(*report);
  } else {
    hang_up("it said what no miner says");
    return false;
  }
  options_.changed();
  return true;
}

void RemoteMiner::take_report(const LendingReport& report) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t before = process_->report ? process_->report->hashes : 0;
  process_->report = report;
  // They never go back.
  process_->report->hashes = std::max(before, report.hashes);
}

void RemoteMiner::deliver(const ShareFound& share) {
  const std::lock_guard lock(mutex_);
  // The slot is this node's: in another's its shares would be another's.
  if (order_ && order_->template_hash == share.template_hash && share.nonce.slot() == order_->slot)
    on_share_(share);
}

void RemoteMiner::speak() {
  if (!link_->flush()) return hang_up("it went away");
  while (link_->is_free()) {
    const std::optional<Message> word = next_word();
    if (!word) return;
    if (!link_->send(*word)) return hang_up("it went away");
  }
}

std::optional<Message> RemoteMiner::next_word() {
  const std::lock_guard lock(mutex_);
  if (!process_->is_ready) return std::nullopt;
  // Before the order: what is paused must not begin.
  if (std::exchange(wish_is_news_, false)) return wish_;
  if (!std::exchange(order_is_news_, false)) return std::nullopt;
  if (order_) return *order_;
  return StopWork{};
}

void RemoteMiner::watch_silence() {
  bool is_silent = false;
  if (link_) {
    const std::lock_guard lock(mutex_);
    is_silent = may_listen() && monotonic_now() - process_->heard >= options_.silent_after;
  }
  if (std::exchange(was_silent_, is_silent) == is_silent) return;
  if (link_)
    options_.log(is_silent ? "the miner process has fallen silent: it is stopped or hangs"
                           : "the miner process speaks again");
  options_.changed();
}

void RemoteMiner::hang_up(const std::string& why) {
  pid_t pid = 0;
  {
    const std::lock_guard lock(mutex_);
    pid = process_->pid;
    if (process_->report) hashes_ = added(hashes_, process_->report->hashes);
    process_.reset();
    last_end_ = why;
  }
  // Now: whoever sees the end can read why. The process itself as well, if it still listens.
  if (link_->is_free()) link_->send(Refusal{why});
  link_.reset();
  has_words_left_ = false;
  if (std::exchange(told_, why) != why) options_.log(name_of(pid) + " is gone: " + why);
  options_.changed();
}

}  // namespace eventchain::mining::process
