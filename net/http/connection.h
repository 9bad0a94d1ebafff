#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/http/admission.h"
#include "net/http/loop.h"
#include "net/http/pace.h"
#include "net/http/request_parser.h"
#include "net/http/response.h"
#include "net/http/server.h"
#include "net/http/transport.h"

namespace eventchain::net::http {

// What all connections of a server share.
struct Service {
  Service(const Limits& bounds, Handler answer)
      : limits(bounds), admission(bounds), handler(std::move(answer)) {}
  const Limits limits;
  Admission admission;
  Handler handler;
  std::function<void(const Exchange&)> observer;
  std::unique_ptr<TransportFactory> transports;
};

// What a stream's producer has handed over and the connection has not sent yet.
struct Outbox {
  std::mutex mutex;
  // guarded by mutex
  std::string pending;  // chunked framing included; each octet is counted by the admission
  bool is_flush_posted = false;
  bool was_full = false;
  bool is_ended = false;   // by the producer
  bool is_closed = false;  // by the connection
};

// One client connection: reads a request, hands it to the handler, sends the answer, and only then
// looks at the next request, so that pipelined requests are answered in order. Owned by its loop
// and by the responders of its requests; everything runs on the loop's thread. Bounds: one read
// buffer, one request body, one answer.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Loop> loop, std::shared_ptr<Service> service,
             std::unique_ptr<Transport> transport, std::string address);
  ~Connection();

  void start();
  void close();
  // The server stops: at once, or when the answer that is being sent is with the client.
  void finish();
  void check_deadline(SteadyTime now);

  // The responder's side.
  Loop& loop() { return *loop_; }
  void answer(Response response);
  void begin_stream(StreamHead head, std::shared_ptr<Outbox> outbox);
  void flush_stream();
  [[nodiscard]] bool frames_chunks() const { return !parser_.is_http_1_0(); }
  [[nodiscard]] Service& service() { return *service_; }

 private:
  enum class Phase : std::uint8_t {
    kHandshake,
    kIdle,  // no octet of a request yet
    kHeader,
    kBody,
    kHandling,  // the handler owns the request
    kWriting,
    kStreaming,
    kLingering,
    kClosed,
  };
  using Next = void (Connection::*)();

  void enter(Phase phase, std::chrono::milliseconds allowance);
  void await_request();
  void read();
  void on_read(std::size_t octets);
  void parse();
  bool begin_body();  // false: refused or paused
  bool account_body();
  void hand_over();
  void refuse(const Refusal& refusal);
  void write(std::string head, std::string body, Next next);
  void write_more();
  void on_written();
  void linger();
  void end_stream();
  void give_back_body();
  void observe();
  void give_back_answer();
  [[nodiscard]] bool is_late(SteadyTime now) const;

  // constant after construction
  const std::shared_ptr<Loop> loop_;
  const std::shared_ptr<Service> service_;
  const std::unique_ptr<Transport> transport_;
  const std::string address_;

  // owned by the loop's thread
  Phase phase_ = Phase::kHandshake;
  SteadyTime phase_began_;
  std::chrono::milliseconds allowance_{0};
  Pace pace_;  // of the body being read or the octets being written
  std::string principal_;
  bool is_identified_ = false;
  bool is_shaking_hands_ = false;

  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // unread octets in buffer_
  bool is_reading_ = false;
  RequestParser parser_;
  std::size_t body_taken_ = 0;  // from the admission's budget
  bool keeps_alive_ = true;
  bool is_head_ = false;  // the answer's body is not sent

  std::string head_, body_;  // being written
  std::size_t written_ = 0;
  std::size_t answer_taken_ = 0;  // from the admission's budget, for head_ and body_
  bool is_writing_ = false;
  Next after_write_ = nullptr;
  Exchange exchange_;
  SteadyTime handed_over_at_;

  std::shared_ptr<Outbox> outbox_;
  StreamHead stream_;
  SteadyTime stream_sent_at_;
};

// A piece of a body in chunked framing.
std::string chunk_of(std::string_view octets);

// What is said instead of an answer for which there is no room.
Response overloaded();

// The responder of one request on `connection`.
std::shared_ptr<Responder> make_responder(std::shared_ptr<Connection> connection);

}  // namespace eventchain::net::http
