#include "tests/sim/workload.h"

#include <algorithm>
#include <utility>

#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;

constexpr int kTriesMax = 6;
constexpr std::size_t kKnownMax = 64;
constexpr const char* kSource = "/sim";

// It is nobody's last word, and another node may take it.
bool is_refused(const node::EventOutcome& outcome) {
  using State = node::EventOutcome::State;
  return outcome.state == State::kPoolFull || outcome.state == State::kDiskFull ||
         outcome.state == State::kDraining;
}

}  // namespace

Workload::Workload(Cluster& cluster, const Options& options, chain::Rng rng)
    : cluster_(cluster), options_(options), rng_(rng) {}

void Workload::start() {
  for (std::size_t client = 0; client < options_.clients; ++client) think(client);
}

void Workload::think(std::size_t client) {
  cluster_.scheduler().after(draw_exponential(rng_, options_.think),
                             [this, client] { act(client); });
}

void Workload::act(std::size_t client) {
  if (is_stopped_) return;
  if (rng_.chance(1, 5)) {
    read(client);
    return;
  }
  Wish wish;
  const std::size_t count = rng_.chance(1, 2) ? 1 : 1 + rng_.below(options_.batch_max);
  for (std::size_t i = 0; i < count; ++i) wish.bodies.push_back(draw_body());
  wish.wait = static_cast<node::WaitFor>(rng_.below(4));
  wish.timeout = draw_span(rng_, milliseconds(200), milliseconds(6000));
  post(client, std::move(wish));
}

chain::Bytes Workload::draw_body() {
  if (!known_.empty() && rng_.chance(1, 6)) {
    Source again = known_[rng_.below(known_.size())];
    // Other content under the same key.
    if (rng_.chance(1, 3)) again.data = rng_.next();
    return write_body(again);
  }
  Source fresh;
  fresh.id = fmt::format("e{}", next_id_++);
  fresh.stream = fmt::format("s{}", rng_.below(options_.streams));
  fresh.data = rng_.next();
  if (rng_.chance(1, 3)) {
    const auto seen = versions_.find(fresh.stream);
    const std::int64_t stands = seen == versions_.end() ? -1 : seen->second;
    const std::int64_t expected = stands + (rng_.chance(1, 2) ? 0 : rng_.between(-2, 3));
    fresh.expected = static_cast<std::int32_t>(std::max<std::int64_t>(expected, -1));
  }
  stream_of_[chain::event_key(kSource, fresh.id)] = fresh.stream;
  if (known_.size() < kKnownMax) {
    known_.push_back(fresh);
  } else {
    known_[rng_.below(kKnownMax)] = fresh;
  }
  return write_body(fresh);
}

chain::Bytes Workload::write_body(const Source& source) const {
  chain::Event event;
  event.set("id", source.id);
  event.set("source", std::string(kSource));
  event.set("type", std::string("sim"));
  event.set("stream", source.stream);
  if (source.expected) event.set("expectedversion", *source.expected);
  event.data_kind = chain::DataKind::kBinary;
  event.data.assign(1 + source.data % options_.data_bytes_max, static_cast<char>(source.data >> 8));
  event.data += std::to_string(source.data);
  return chain::encode_body(event);
}

void Workload::post(std::size_t client, Wish wish) {
  ++requests_;
  ++wish.tries;
  std::vector<chain::HeldEvent> events;
  for (const auto& body : wish.bodies) events.push_back(cluster_.make_event(body));
  const std::size_t node = rng_.below(cluster_.honest());
  const auto wait = wish.wait;
  const Span timeout = wish.timeout;
  cluster_.submit(
      node, std::move(events), wait, timeout,
      [this, client, wish = std::move(wish)](const auto& answer) { heard(client, wish, answer); });
}

void Workload::read(std::size_t client) {
  const std::size_t node = rng_.below(cluster_.honest());
  cluster_.read(node, draw_span(rng_, milliseconds(100), milliseconds(5000)),
                [this, client](const std::optional<bool>&) {
                  if (!is_stopped_) think(client);
                });
}

void Workload::heard(std::size_t client, Wish wish, const std::optional<node::Answer>& answer) {
  if (answer) {
    for (const auto& outcome : answer->outcomes) {
      if (!outcome.version) continue;
      const auto stream = stream_of_.find(outcome.key);
      if (stream == stream_of_.end()) continue;
      auto& version = versions_.emplace(stream->second, -1).first->second;
      version = std::max(version, outcome.version->value);
    }
  }
  if (is_stopped_) return;
  const bool is_done =
      answer && answer->reached && std::ranges::none_of(answer->outcomes, is_refused);
  if (is_done || wish.tries >= kTriesMax) {
    think(client);
    return;
  }
  ++retries_;
  cluster_.scheduler().after(draw_span(rng_, milliseconds(1), milliseconds(400)),
                             [this, client, wish = std::move(wish)] {
                               if (!is_stopped_) post(client, wish);
                             });
}

}  // namespace eventchain::sim
