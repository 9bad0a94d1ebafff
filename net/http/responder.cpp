#include <fmt/format.h>

#include <atomic>

#include "net/http/connection.h"

namespace eventchain::net::http {

std::string chunk_of(std::string_view octets) {
  return fmt::format("{:x}\r\n{}\r\n", octets.size(), octets);
}

namespace {

class RequestResponder final : public Responder {
 public:
  explicit RequestResponder(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)), frames_chunks_(connection_->frames_chunks()) {}

  ~RequestResponder() override {
    RequestResponder::respond(problem(500, "internal", "the node failed to answer this request"));
    RequestResponder::close();
  }

  void respond(Response response) override {
    if (is_answered_.exchange(true)) return;
    auto& loop = connection_->loop();
    // std::function copies what it captures; the answer may be large.
    auto shared = std::make_shared<Response>(std::move(response));
    loop.dispatch([connection = connection_, shared] { connection->answer(std::move(*shared)); });
  }

  void start_stream(StreamHead head) override {
    if (is_answered_.exchange(true)) return;
    const auto outbox = std::make_shared<Outbox>();
    {
      const std::lock_guard lock(mutex_);
      outbox_ = outbox;
    }
    connection_->loop().dispatch([connection = connection_, head = std::move(head), outbox] {
      connection->begin_stream(head, outbox);
    });
  }

  bool send(std::string_view chunk) override {
    const auto outbox = this->outbox();
    if (!outbox || chunk.empty()) return false;
    bool must_post = false;
    Service& service = connection_->service();
    {
      const std::lock_guard lock(outbox->mutex);
      if (outbox->is_closed || outbox->is_ended) return false;
      const std::string framed = frames_chunks_ ? chunk_of(chunk) : std::string(chunk);
      const std::size_t held = outbox->pending.size();
      const bool fits = held == 0 || held + chunk.size() <= service.limits.stream_buffer_max;
      if (!fits || !service.admission.take_answer(framed.size(), held)) {
        outbox->was_full = true;
        return false;
      }
      outbox->pending.append(framed);
      must_post = !outbox->is_flush_posted;
      outbox->is_flush_posted = true;
    }
    if (must_post) post_flush();
    return true;
  }

  void close() override {
    const auto outbox = this->outbox();
    if (!outbox) return;
    {
      const std::lock_guard lock(outbox->mutex);
      outbox->is_ended = true;
    }
    post_flush();
  }

  [[nodiscard]] bool is_open() const override {
    const auto outbox = this->outbox();
    if (!outbox) return !is_answered_;
    const std::lock_guard lock(outbox->mutex);
    return !outbox->is_closed && !outbox->is_ended;
  }

  void post(std::function<void()> work) override { connection_->loop().post(std::move(work)); }

 private:
  std::shared_ptr<Outbox> outbox() const {
    const std::lock_guard lock(mutex_);
    return outbox_;
  }
  void post_flush() {
    // Never inline: a producer that sends from within a callback would recurse.
    connection_->loop().post([connection = connection_] { connection->flush_stream(); });
  }

  const std::shared_ptr<Connection> connection_;
  const bool frames_chunks_;
  std::atomic<bool> is_answered_{false};
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::shared_ptr<Outbox> outbox_;
};

}  // namespace

std::shared_ptr<Responder> make_responder(std::shared_ptr<Connection> connection) {
  return std::make_shared<RequestResponder>(std::move(connection));
}

}  // namespace eventchain::net::http
