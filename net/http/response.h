#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/request.h"

namespace eventchain::net::http {

struct Response {
  int status = 200;
  std::string content_type;     // not sent when empty
  std::vector<Header> headers;  // besides Content-Type, Content-Length, Date and Connection
  std::string body;
  const char* label = "";  // kind of request for the observer; a literal
};

// Head of an answer that is sent piece by piece, such as server-sent events.
struct StreamHead {
  int status = 200;
  std::string content_type;
  std::vector<Header> headers;
  std::string keep_alive;  // sent when nothing else was for a while, e.g. an SSE comment
  const char* label = "";
  // Both are called on the connection's thread and dropped once the stream is over.
  std::function<void()> on_room;    // the buffer has drained after send() said no
  std::function<void()> on_closed;  // called once, whoever ended it
};

// The way back to one client for one request. Thread-safe. Shared by whoever will answer; when the
// last owner forgets it unanswered, the client gets 500.
class Responder {
 public:
  virtual ~Responder() = default;

  // Once, and not together with start_stream(); later calls are ignored.
  virtual void respond(Response response) = 0;

  virtual void start_stream(StreamHead head) = 0;
  // False: the buffer is full or the client has gone, and `chunk` was not taken.
  virtual bool send(std::string_view chunk) = 0;
  virtual void close() = 0;
  [[nodiscard]] virtual bool is_open() const = 0;

  // Runs `work` on the connection's thread, in order; dropped when the server has stopped.
  virtual void post(std::function<void()> work) = 0;
};

using Handler = std::function<void(Request, std::shared_ptr<Responder>)>;

const char* reason_phrase(int status);

// Status line and fields, ending with the empty line.
struct HeadOptions {
  std::string_view date;  // of the Date field
  bool keep_alive = true;
  bool is_chunked = false;  // Transfer-Encoding instead of Content-Length
  bool is_http_1_0 = false;
};
std::string make_head(int status, std::string_view content_type, const std::vector<Header>& headers,
                      std::size_t content_length, const HeadOptions& options);

// A problem document (RFC 9457) for what the server itself refuses. `kind` and `detail` are
// literals of ours without characters that JSON escapes.
Response problem(int status, std::string_view kind, std::string_view detail);

}  // namespace eventchain::net::http
