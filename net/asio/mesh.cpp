#include "net/asio/mesh.h"

#include <utility>

#include "net/asio/mesh_engine.h"
#include "net/codec.h"

namespace eventchain::net {

struct Mesh::Parts {
  Parts(MeshOptions chosen, MeshHandler& told)
      : options(std::move(chosen)), handler(told), table(options.table) {}

  // constant after construction
  const MeshOptions options;
  MeshHandler& handler;
  // safe from any thread
  LiveCounters counters;
  OutboxTable outboxes;

  mutable std::mutex mutex;
  // guarded by mutex
  std::shared_ptr<MeshEngine> engine;  // null when stopped
  PeerTable table;

  [[nodiscard]] std::shared_ptr<MeshEngine> running() const {
    const std::lock_guard lock(mutex);
    return engine;
  }
  [[nodiscard]] PeerTable current_table() const {
    const std::lock_guard lock(mutex);
    return table;
  }
};

Mesh::Mesh(MeshOptions options, MeshHandler& handler)
    : parts_(std::make_unique<Parts>(std::move(options), handler)) {}

Mesh::~Mesh() {
  stop();
}

chain::Result<void> Mesh::start() {
  EC_ASSERT(!parts_->running(), "a mesh is started once between stops");
  auto engine = std::make_shared<MeshEngine>(parts_->options, parts_->handler, parts_->counters,
                                             parts_->outboxes);
  if (chain::Result<void> started = engine->start(parts_->current_table()); !started)
    return started;
  const std::lock_guard lock(parts_->mutex);
  engine->set_peers(parts_->table);  // it may have changed since
  parts_->engine = std::move(engine);
  return {};
}

void Mesh::stop() {
  std::shared_ptr<MeshEngine> engine;
  {
    const std::lock_guard lock(parts_->mutex);
    engine = std::exchange(parts_->engine, nullptr);
  }
  if (engine) engine->stop();
}

chain::Result<void> Mesh::reload() {
  const std::shared_ptr<MeshEngine> engine = parts_->running();
  if (!engine) return {};
  return engine->reload();
}

void Mesh::set_peers(PeerTable table) {
  const std::lock_guard lock(parts_->mutex);
  parts_->table = std::move(table);
  if (parts_->engine) parts_->engine->set_peers(parts_->table);
}

void Mesh::send(chain::NodeId peer, const Message& message) {
  send(std::vector{peer}, message);
}

void Mesh::send(const std::vector<chain::NodeId>& peers, const Message& message) {
  std::vector<std::shared_ptr<Outbox>> outboxes;
  for (const chain::NodeId& peer : peers)
    if (std::shared_ptr<Outbox> outbox = parts_->outboxes.find(peer))
      outboxes.push_back(std::move(outbox));
  if (outboxes.empty()) return;
  const chain::Bytes payload = encode(message);
  if (payload.size() > limits::kFrameBytesMax) {
    ++parts_->counters.too_large_to_send;
    parts_->options.log(LogLevel::kWarning, std::string(name_of(message)) + " of " +
                                                std::to_string(payload.size()) +
                                                " octets does not fit a frame and was not sent");
    return;
  }
  const auto frame = std::make_shared<const chain::Bytes>(make_frame(payload));
  for (const auto& outbox : outboxes)
    if (outbox->push(priority_of(message), frame)) ++parts_->counters.frames_out[message.index()];
}

void Mesh::hang_up(chain::NodeId peer, std::string reason) {
  if (const std::shared_ptr<Outbox> outbox = parts_->outboxes.find(peer))
    outbox->ask_to_end({Ending::kHungUp, std::move(reason)});
}

std::uint16_t Mesh::port() const {
  const std::shared_ptr<MeshEngine> engine = parts_->running();
  return engine ? engine->port() : std::uint16_t{0};
}

MeshCounters Mesh::counters() const {
  return parts_->counters.snapshot();
}

const char* to_string(Ending ending) {
  switch (ending) {
    case Ending::kTls:
      return "tls";
    case Ending::kIdentity:
      return "identity";
    case Ending::kUnknownNode:
      return "unknown_node";
    case Ending::kStranger:
      return "stranger";
    case Ending::kHello:
      return "hello";
    case Ending::kTimeout:
      return "timeout";
    case Ending::kTooMany:
      return "too_many";
    case Ending::kNotValid:
      return "not_valid";
    case Ending::kFull:
      return "full";
    case Ending::kTooOften:
      return "too_often";
    case Ending::kDuplicate:
      return "duplicate";
    case Ending::kSuperseded:
      return "superseded";
    case Ending::kMalformed:
      return "malformed";
    case Ending::kSilent:
      return "silent";
    case Ending::kTooSlow:
      return "too_slow";
    case Ending::kHungUp:
      return "hung_up";
    case Ending::kRemoved:
      return "removed";
    case Ending::kLost:
      return "lost";
    case Ending::kStopped:
      return "stopped";
  }
  return "unknown";
}

}  // namespace eventchain::net
