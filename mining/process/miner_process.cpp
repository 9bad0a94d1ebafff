#include "mining/process/miner_process.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mining/host_probe.h"

namespace eventchain::mining::process {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kFoundMax = 4096;
// Words in one go. More than the kernel holds, so that a process that stood still for long takes up
// the newest order at once.
constexpr int kWordsAtOnce = 256;
constexpr const char* kWentAway = "the node went away";

}  // namespace

MinerProcess::MinerProcess(MinerProcessOptions options)
    : options_(std::move(options)),
      serving_([this](const std::stop_token& stopping) { run(stopping); }) {}

MinerProcess::~MinerProcess() {
  serving_.request_stop();
  wake_.notify();
  serving_.join();
  // Its threads call back to the end.
  miner_.reset();
}

void MinerProcess::run(const std::stop_token& stopping) {
  milliseconds again_after = options_.again_after;
  std::string told;
  while (!stopping.stop_requested()) {
    std::string why;
    auto connection = connect_unix(options_.socket);
    if (connection) {
      link_.emplace(std::move(*connection));
      const chain::Instant began = monotonic_now();
      why = serve(stopping);
      link_.reset();
      if (miner_) miner_->stop();
      if (std::exchange(is_greeted_, false)) told.clear();
      // Two that never get on would otherwise meet ten times a second for ever.
      if (monotonic_now() - began > options_.again_after_max) again_after = options_.again_after;
    } else {
      why = connection.error().message;
    }
    if (stopping.stop_requested()) return;
    // Once, however long it takes.
    if (std::exchange(told, why) != why)
      options_.log("waits for a node with mining.run = \"process\" at " + options_.socket.string() +
                   ": " + why +
                   "; the miner's user must be the node's, root or in mining.socket_group");
    pollfd wake{wake_.number(), POLLIN, 0};
    const chain::Instant until = monotonic_now() + again_after;
    // Miners that find a last share wake it, too.
    for (chain::Instant now = monotonic_now(); now < until && !stopping.stop_requested();
         now = monotonic_now()) {
      poll(&wake, 1, static_cast<int>(std::chrono::ceil<milliseconds>(until - now).count()));
      wake_.forget();
    }
    again_after = std::min(2 * again_after, options_.again_after_max);
  }
}

std::string MinerProcess::serve(const std::stop_token& stopping) {
  reported_ = monotonic_now();
  while (!stopping.stop_requested()) {
    wait_for_something();
    wake_.forget();
    if (auto ended = listen_to(); !ended.empty()) return ended;
    if (auto ended = speak(); !ended.empty()) return ended;
  }
  return "it was told to end";
}

void MinerProcess::wait_for_something() {
  std::array<pollfd, 2> all{};
  all[0] = {wake_.number(), POLLIN, 0};
  all[1] = {link_->descriptor(), static_cast<short>(POLLIN | (link_->is_free() ? 0 : POLLOUT)), 0};
  std::chrono::nanoseconds until = reported_ + options_.report_every - monotonic_now();
  // Before the greeting there is nothing to report, and without room nothing can be.
  if (!is_greeted_ || !link_->is_free()) until = options_.report_every;
  until = std::max(until, std::chrono::nanoseconds(0));
  poll(all.data(), all.size(), static_cast<int>(std::chrono::ceil<milliseconds>(until).count()));
}

std::string MinerProcess::listen_to() {
  bool is_over = false;
  for (int words = 0; words < kWordsAtOnce && !is_over;) {
    const auto message = link_->next();
    if (!message) {
      if (link_->is_free()) link_->send(Refusal{message.error().message});
      return message.error().message;
    }
    if (*message) {
      ++words;
      if (auto ended = take(**message); !ended.empty()) return ended;
      continue;
    }
    const Link::Came came = link_->receive();
    if (came == Link::Came::kEnd) return kWentAway;
    is_over = came == Link::Came::kNothing;
  }
  if (!is_over) wake_.notify();
  if (const auto newest = std::exchange(order_, std::nullopt)) {
    if (const auto* order = std::get_if<WorkOrder>(&*newest)) {
      mined_ = order->template_hash;
      miner_->mine(*order);
    } else {
      mined_.reset();
      miner_->stop();
    }
    const std::lock_guard lock(mutex_);
    has_news_ = true;
  }
  return {};
}

std::string MinerProcess::take(const Message& message) {
  if (const auto* refusal = std::get_if<Refusal>(&message)) return refusal->why;
  if (!is_greeted_) {
    if (const auto* hello = std::get_if<NodeHello>(&message)) return greet(*hello);
  } else if (const auto* wish = std::get_if<OperatorWish>(&message)) {
    miner_->pause(wish->pauses);
    miner_->limit(wish->limit_percent.value_or(100));
    return {};
  } else if (std::holds_alternative<WorkOrder>(message) ||
             std::holds_alternative<StopWork>(message)) {
    order_ = message;
    return {};
  }
  return "it said what no node says";
}

std::string MinerProcess::greet(const NodeHello& hello) {
  const auto refuse = [this](const std::string& why) {
    link_->send(Refusal{why});
    return why;
  };
  if (hello.feature_level > options_.feature_level)
    return refuse("the node's program can do feature level " + std::to_string(hello.feature_level) +
                  ", this miner " + std::to_string(options_.feature_level) +
                  "; run the same eventchaind as node and as miner");
  if (!miner_ || hello_->chain != hello.chain || hello_->work_function != hello.work_function) {
    miner_.reset();
    auto made = options_.make_miner(
        hello, [this](const ShareFound& share) { found(share); },
        [this] {
          {
            const std::lock_guard lock(mutex_);
            has_news_ = true;
          }
          wake_.notify();
        });
    if (!made) return refuse(made.error().message);
    miner_ = std::move(*made);
  }
  hello_ = hello;
  hashes_before_ = miner_->hashes();
  order_.reset();
  mined_.reset();
  {
    const std::lock_guard lock(mutex_);
    found_.clear();
    has_news_ = true;
  }
  is_greeted_ = true;
  options_.log("mines for the node at " + options_.socket.string());
  return link_->send(MinerHello{}) ? std::string() : kWentAway;
}

std::string MinerProcess::speak() {
  if (!link_->flush()) return kWentAway;
  while (is_greeted_ && link_->is_free()) {
    const std::optional<Message> word = next_word();
    if (!word) return {};
    if (!link_->send(*word)) return kWentAway;
  }
  return {};
}

std::optional<Message> MinerProcess::next_word() {
  const chain::Instant now = monotonic_now();
  {
    const std::lock_guard lock(mutex_);
    const bool is_due = std::exchange(has_news_, false) || now - reported_ >= options_.report_every;
    while (!is_due && !found_.empty()) {
      const ShareFound share = found_.front();
      found_.pop_front();
      if (mined_ == share.template_hash) return share;
    }
    if (!is_due) return std::nullopt;
  }
  reported_ = now;
  return own_report();
}

LendingReport MinerProcess::own_report() {
  LendingReport report = miner_->report();
  report.hashes -= hashes_before_;
  return report;
}

void MinerProcess::found(const ShareFound& share) {
  {
    const std::lock_guard lock(mutex_);
    if (found_.size() == kFoundMax) return;
    found_.push_back(share);
  }
  wake_.notify();
}

}  // namespace eventchain::mining::process
