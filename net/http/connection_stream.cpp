#include "net/http/connection.h"

// The half of a connection that sends an answer piece by piece.

namespace eventchain::net::http {

Response overloaded() {
  return problem(503, "overloaded", "too many answers wait for their readers; try again later");
}

void Connection::begin_stream(StreamHead head, std::shared_ptr<Outbox> outbox) {
  outbox_ = std::move(outbox);
  stream_ = std::move(head);
  if (phase_ != Phase::kHandling) return end_stream();
  if (!service_->admission.has_answer_room()) {
    end_stream();
    return answer(overloaded());
  }
  give_back_body();
  exchange_.label = stream_.label;
  exchange_.status = stream_.status;
  HeadOptions options;
  options.date = loop_->date();
  options.is_http_1_0 = parser_.is_http_1_0();
  // HTTP/1.0 tells the end of such an answer by closing.
  if (options.is_http_1_0) keeps_alive_ = false;
  options.keep_alive = keeps_alive_;
  options.is_chunked = true;
  phase_ = Phase::kStreaming;
  write(make_head(stream_.status, stream_.content_type, stream_.headers, 0, options), {},
        &Connection::flush_stream);
  if (end_ - begin_ < buffer_.size()) read();
}

void Connection::flush_stream() {
  if (phase_ != Phase::kStreaming || is_writing_) return;
  std::string ready;
  bool is_ended = is_head_;
  bool was_full = false;
  {
    const std::lock_guard lock(outbox_->mutex);
    outbox_->is_flush_posted = false;
    ready.swap(outbox_->pending);
    is_ended = is_ended || (outbox_->is_ended && ready.empty());
    std::swap(was_full, outbox_->was_full);
  }
  answer_taken_ = ready.size();
  const bool has_more = !ready.empty() && !is_head_;
  if (has_more) {
    exchange_.response_octets += ready.size();
    write({}, std::move(ready), &Connection::flush_stream);
  } else {
    give_back_answer();
  }
  if (was_full && stream_.on_room) stream_.on_room();
  if (has_more) return;
  if (!is_ended) return;
  enter(Phase::kWriting, service_->limits.body_deadline);
  const bool has_trailer = frames_chunks() && !is_head_;
  end_stream();
  if (has_trailer) return write("0\r\n\r\n", {}, &Connection::on_written);
  on_written();
}

void Connection::end_stream() {
  if (!outbox_) return;
  {
    const std::lock_guard lock(outbox_->mutex);
    outbox_->is_closed = true;
    service_->admission.give_answer(outbox_->pending.size());
    outbox_->pending = {};
  }
  outbox_.reset();
  // Its callbacks own the producer, which owns us.
  const StreamHead over = std::move(stream_);
  stream_ = StreamHead{};
  if (over.on_closed) over.on_closed();
}

}  // namespace eventchain::net::http
