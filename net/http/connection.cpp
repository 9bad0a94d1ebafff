#include "net/http/connection.h"

#include <algorithm>
#include <cstring>

namespace eventchain::net::http {

using boost::system::error_code;

namespace {

// Room for the largest header; what a pipelining client sends ahead waits in the socket.
constexpr std::size_t kReadBuffer = std::size_t{32} * 1024;
// Up to here copying a body behind its head is cheaper than a second piece to send.
constexpr std::size_t kSmallBody = std::size_t{16} * 1024;

}  // namespace

Connection::Connection(std::shared_ptr<Loop> loop, std::shared_ptr<Service> service,
                       std::unique_ptr<Transport> transport, std::string address)
    : loop_(std::move(loop)),
      service_(std::move(service)),
      transport_(std::move(transport)),
      address_(std::move(address)),
      pace_(service_->limits.body_deadline, service_->limits.octets_per_second_min),
      buffer_(std::max(kReadBuffer, 2 * service_->limits.header_bytes_max)),
      parser_(service_->limits) {}

// The acceptor let us in; whoever made us pays back even if the loop stopped before start().
Connection::~Connection() {
  give_back_body();
  give_back_answer();
  if (is_shaking_hands_) service_->admission.end_handshake();
  if (is_identified_) service_->admission.forget(principal_);
  service_->admission.leave(address_);
}

void Connection::start() {
  loop_->enter(shared_from_this());
  if (!service_->transports->has_handshake()) return await_request();
  if (!service_->admission.begin_handshake()) return close();
  is_shaking_hands_ = true;
  enter(Phase::kHandshake, service_->limits.handshake_deadline);
  transport_->handshake([self = shared_from_this()](const error_code& ec, std::size_t) {
    self->service_->admission.end_handshake();
    self->is_shaking_hands_ = false;
    if (ec || self->phase_ == Phase::kClosed) return self->close();
    self->principal_ = self->transport_->principal();
    if (!self->principal_.empty()) {
      self->is_identified_ = self->service_->admission.identify(self->principal_);
      if (!self->is_identified_)
        return self->refuse({429, "too-many-connections",
                             "this client has too many connections; close some and reuse them"});
    }
    self->await_request();
  });
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  const auto self = shared_from_this();  // leaving the loop may drop the last owner
  end_stream();
  give_back_body();
  give_back_answer();
  transport_->close();
  loop_->leave(this);
}

void Connection::finish() {
  // Whoever lingers has sent its last answer, which closing might take back.
  if (phase_ == Phase::kLingering) return;
  if (phase_ != Phase::kWriting) return close();
  keeps_alive_ = false;
}

void Connection::enter(Phase phase, std::chrono::milliseconds allowance) {
  phase_ = phase;
  phase_began_ = Loop::now();
  allowance_ = allowance;
  pace_.begin(phase_began_);
}

bool Connection::is_late(SteadyTime now) const {
  if (phase_ == Phase::kBody || phase_ == Phase::kWriting) return pace_.is_late(now);
  return now > phase_began_ + allowance_;
}

void Connection::check_deadline(SteadyTime now) {
  switch (phase_) {
    case Phase::kClosed:
    case Phase::kHandling:  // whoever took the request answers in bounded time
      return;
    case Phase::kStreaming:
      if (is_writing_) {
        if (pace_.is_late(now)) close();
        return;
      }
      if (now > stream_sent_at_ + service_->limits.stream_keep_alive &&
          !stream_.keep_alive.empty()) {
        write({}, frames_chunks() ? chunk_of(stream_.keep_alive) : stream_.keep_alive,
              &Connection::flush_stream);
        return;
      }
      // A producer that was told no because of other connections' octets tries again.
      return flush_stream();
    case Phase::kHeader:
    case Phase::kBody:
      if (!is_late(now)) return;
      if (is_writing_) return close();  // not even the 100 Continue got through
      return refuse({408, "too-slow", "the request did not arrive in time; send it faster"});
    case Phase::kHandshake:
    case Phase::kIdle:
    case Phase::kWriting:
    case Phase::kLingering:
      if (is_late(now)) close();
      return;
  }
}

// --- reading ------------------------------------------------------------------------------------

void Connection::await_request() {
  parser_.reset();
  enter(Phase::kIdle, service_->limits.idle_deadline);
  if (begin_ != end_)
    parse();
  else
    read();
}

void Connection::read() {
  if (is_reading_) return;
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ > 0 && buffer_.size() - end_ < buffer_.size() / 4) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  is_reading_ = true;
  transport_->read_some(boost::asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                        [self = shared_from_this()](const error_code& ec, std::size_t octets) {
                          self->is_reading_ = false;
                          if (ec) return self->close();
                          self->on_read(octets);
                        });
}

void Connection::on_read(std::size_t octets) {
  switch (phase_) {
    case Phase::kIdle:
    case Phase::kHeader:
    case Phase::kBody:
      end_ += octets;
      return parse();
    case Phase::kStreaming:
      // Read only to notice that the client hangs up; what it sends is its next request.
      end_ += octets;
      if (end_ - begin_ < buffer_.size()) read();
      return;
    case Phase::kLingering:
      return read();  // dropped
    case Phase::kHandling:
    case Phase::kWriting:
      end_ += octets;
      return;
    case Phase::kHandshake:
    case Phase::kClosed:
      return;
  }
}

void Connection::parse() {
  if (phase_ == Phase::kIdle) enter(Phase::kHeader, service_->limits.header_deadline);
  for (;;) {
    const auto progress = parser_.feed({buffer_.data() + begin_, end_ - begin_});
    begin_ += progress.consumed;
    if (phase_ == Phase::kBody) pace_.pass(progress.consumed, Loop::now());
    switch (progress.step) {
      case RequestParser::Step::kFailed:
        return refuse(parser_.refusal());
      case RequestParser::Step::kDone:
        if (!account_body()) return;
        return hand_over();
      case RequestParser::Step::kHeaderDone:
        if (!begin_body()) return;
        break;
      case RequestParser::Step::kNeedMore:
        if (!account_body()) return;
        // Only a line without end can fill the buffer.
        if (end_ - begin_ == buffer_.size())
          return refuse({400, "malformed-request", "a line of the request is far too long"});
        return read();
    }
  }
}

bool Connection::begin_body() {
  enter(Phase::kBody, service_->limits.body_deadline);
  if (!parser_.expects_continue() || begin_ != end_) return true;
  write("HTTP/1.1 100 Continue\r\n\r\n", {}, &Connection::parse);
  return false;
}

// Bodies are charged as they grow, not as they are announced: clients that announce much and send
// little would otherwise keep everybody else out.
bool Connection::account_body() {
  const std::size_t size = parser_.body_size();
  if (size <= body_taken_) return true;
  if (!service_->admission.take_body(size - body_taken_)) {
    refuse({503, "overloaded", "too many request bodies are in flight; try again in a moment"});
    return false;
  }
  body_taken_ = size;
  return true;
}

void Connection::give_back_body() {
  if (body_taken_ > 0) service_->admission.give_body(body_taken_);
  body_taken_ = 0;
}

void Connection::hand_over() {
  phase_ = Phase::kHandling;
  keeps_alive_ = parser_.keeps_alive();
  Request request = parser_.take();
  request.principal = principal_;
  request.peer_address = address_;
  exchange_ = Exchange{};
  exchange_.request_octets = request.body.size();
  handed_over_at_ = Loop::now();
  // HEAD is GET whose body is not sent.
  is_head_ = request.method == "HEAD";
  if (is_head_) request.method = "GET";
  service_->handler(std::move(request), make_responder(shared_from_this()));
}

// --- answering ----------------------------------------------------------------------------------

void Connection::refuse(const Refusal& refusal) {
  keeps_alive_ = false;
  is_head_ = false;
  exchange_ = Exchange{};
  handed_over_at_ = Loop::now();
  phase_ = Phase::kHandling;
  answer(problem(refusal.status, refusal.kind, refusal.detail));
}

void Connection::answer(Response response) {
  if (phase_ != Phase::kHandling) return;
  give_back_body();
  exchange_.label = response.label;
  exchange_.status = response.status;
  HeadOptions options;
  options.date = loop_->date();
  options.keep_alive = keeps_alive_;
  options.is_http_1_0 = parser_.is_http_1_0();
  std::string head = make_head(response.status, response.content_type, response.headers,
                               response.body.size(), options);
  if (is_head_) response.body.clear();
  const std::size_t octets = head.size() + response.body.size();
  if (!service_->admission.take_answer(octets, 0))
    return exchange_.status == 503 ? close() : answer(overloaded());
  answer_taken_ = octets;
  exchange_.response_octets = response.body.size();
  enter(Phase::kWriting, service_->limits.body_deadline);
  write(std::move(head), std::move(response.body), &Connection::on_written);
}

void Connection::write(std::string head, std::string body, Next next) {
  head_ = std::move(head);
  body_ = std::move(body);
  if (body_.size() <= kSmallBody) {
    head_.append(body_);
    body_.clear();
  }
  written_ = 0;
  after_write_ = next;
  is_writing_ = true;
  stream_sent_at_ = Loop::now();
  if (phase_ == Phase::kStreaming) pace_.begin(stream_sent_at_);
  write_more();
}

void Connection::write_more() {
  const std::size_t of_head = std::min(written_, head_.size());
  const std::size_t of_body = written_ - of_head;
  const Transport::Buffers buffers = {
      boost::asio::const_buffer(head_.data() + of_head, head_.size() - of_head),
      boost::asio::const_buffer(body_.data() + of_body, body_.size() - of_body)};
  transport_->write_some(buffers,
                         [self = shared_from_this()](const error_code& ec, std::size_t octets) {
                           if (ec || self->phase_ == Phase::kClosed) return self->close();
                           self->written_ += octets;
                           self->stream_sent_at_ = Loop::now();
                           if (self->phase_ != Phase::kBody)
                             self->pace_.pass(octets, self->stream_sent_at_);
                           if (self->written_ < self->head_.size() + self->body_.size())
                             return self->write_more();
                           self->is_writing_ = false;
                           self->head_.clear();
                           self->body_ = {};
                           self->give_back_answer();
                           ((*self).*(self->after_write_))();
                         });
}

void Connection::give_back_answer() {
  if (answer_taken_ > 0) service_->admission.give_answer(answer_taken_);
  answer_taken_ = 0;
}

void Connection::on_written() {
  observe();
  if (keeps_alive_) return await_request();
  linger();
}

void Connection::linger() {
  enter(Phase::kLingering, service_->limits.linger);
  transport_->end_sending([self = shared_from_this()](const error_code& ec, std::size_t) {
    if (ec || self->phase_ != Phase::kLingering) return self->close();
    self->begin_ = self->end_ = 0;
    self->read();
  });
}

void Connection::observe() {
  exchange_.duration = Loop::now() - handed_over_at_;
  if (service_->observer) service_->observer(exchange_);
}

}  // namespace eventchain::net::http
