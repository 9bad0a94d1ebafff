#include "net/http/client.h"

#include <fmt/format.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <utility>

namespace eventchain::net::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr std::uint32_t kHeaderBytesMax = 16 * 1024;
// Octets on the line for one of a chunked body; the server grants its callers as much.
constexpr std::size_t kFramingFactor = 2;
constexpr std::size_t kReadBytes = 8 * 1024;
constexpr std::size_t kUrlBytesMax = 2048;

std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Nothing that could end the request's first line or a field.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string compose(const Url& url, std::string_view path, std::string_view content_type,
                    std::string_view body) {
  return fmt::format(
      "POST {}{} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: eventchain\r\nContent-Type: {}\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      url.prefix, path, in_brackets(url.host), url.port, content_type, body.size(), body);
}

std::string text_of(const error_code& error) {
  return error.message();
}

// One exchange, on an io_context that ends with it. Every step starts the next one; the last one
// leaves nothing to run.
class Exchange {
 public:
  Exchange(const Url& url, asio::ssl::context* tls, std::string request, std::size_t answer_max)
      : url_(url),
        tls_(tls),
        request_(std::move(request)),
        room_(kHeaderBytesMax + kFramingFactor * answer_max) {
    parser_.header_limit(kHeaderBytesMax);
    parser_.body_limit(answer_max);
  }

  asio::io_context& io() { return io_; }

  void run(std::chrono::milliseconds timeout) {
    resolver_.async_resolve(url_.host, url_.port, [this](const error_code& ec, const auto& found) {
      if (ec) return end(ec);
      asio::async_connect(socket_, found, [this](const error_code& failed, const tcp::endpoint&) {
        if (failed) return end(failed);
        connected();
      });
    });
    io_.run_for(timeout);
  }

  // Why there is no answer; empty if there is one.
  [[nodiscard]] std::string failure() const {
    if (is_complete_) return {};
    return failure_.empty() ? "no answer in time" : failure_;
  }
  ClientAnswer take_answer() {
    auto message = parser_.release();
    ClientAnswer answer;
    answer.status = static_cast<int>(message.result_int());
    const auto type = message.find(beast::http::field::content_type);
    if (type != message.end())
      answer.content_type.assign(type->value().data(), type->value().size());
    answer.body = std::move(message.body());
    return answer;
  }

 private:
  void end(const error_code& error) { failure_ = text_of(error); }
  void end_too_large() {
    failure_ =
        "the answer has more octets than one that is taken, with all that is around its body";
  }

  void connected() {
    error_code ignored;  // without it the request only leaves later
    socket_.set_option(tcp::no_delay(true), ignored);
    if (tls_ == nullptr) return write(socket_);
    secure_.emplace(socket_, *tls_);
    error_code ec;
    secure_->set_verify_mode(asio::ssl::verify_peer, ec);
    if (!ec) secure_->set_verify_callback(asio::ssl::host_name_verification(url_.host), ec);
    if (ec) return end(ec);
    SSL_set_tlsext_host_name(secure_->native_handle(), url_.host.c_str());
    secure_->async_handshake(asio::ssl::stream_base::client, [this](const error_code& failed) {
      if (failed) return end(failed);
      write(*secure_);
    });
  }

  template <class Stream>
  void write(Stream& stream) {
    asio::async_write(stream, asio::buffer(request_),
                      [this, &stream](const error_code& ec, std::size_t) {
                        if (ec) return end(ec);
                        read(stream);
                      });
  }

  template <class Stream>
  void read(Stream& stream) {
    stream.async_read_some(
        asio::buffer(chunk_), [this, &stream](const error_code& ec, std::size_t count) {
          error_code parsed;
          if (!ec) {
            // The parser's own limits know neither chunks' extensions nor trailers.
            if (count > room_) return end_too_large();
            room_ -= count;
            received_.append(chunk_.data(), count);
            parse(parsed);
          } else if (parser_.got_some() && parser_.is_header_done() && !parser_.chunked() &&
                     !parser_.content_length()) {
            parser_.put_eof(parsed);  // a body without a length ends with the connection
          } else {
            return end(ec);
          }
          if (parsed) return end(parsed);
          is_complete_ = parser_.is_done();
          if (is_complete_) return;
          if (ec) return end(ec);
          read(stream);
        });
  }

  void parse(error_code& parsed) {
    while (!received_.empty() && !parser_.is_done()) {
      const std::size_t used = parser_.put(asio::buffer(received_), parsed);
      received_.erase(0, used);
      if (parsed == beast::http::error::need_more) {
        parsed = {};
        if (used == 0) return;
      }
      if (parsed) return;
    }
  }

  const Url& url_;
  asio::ssl::context* const tls_;
  const std::string request_;
  std::size_t room_;  // octets that may still come
  asio::io_context io_{1};
  tcp::resolver resolver_{io_};
  tcp::socket socket_{io_};
  std::optional<asio::ssl::stream<tcp::socket&>> secure_;
  std::array<char, kReadBytes> chunk_{};
  std::string received_;  // what the parser wants to see again with more behind it
  beast::http::response_parser<beast::http::string_body> parser_;
  bool is_complete_ = false;
  std::string failure_;
};

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto refuse = [text] {
    return fail(ErrorCode::kMalformed,
                fmt::format("'{}' is no URL; write http://HOST:PORT or https://HOST:PORT, with a "
                            "path if there is one",
                            text.substr(0, kUrlBytesMax)));
  };
  if (text.size() > kUrlBytesMax || !is_plain(text)) return refuse();
  Url url;
  std::string_view rest = text;
  url.tls = rest.starts_with("https://");
  if (!url.tls && !rest.starts_with("http://")) return refuse();
  rest.remove_prefix(url.tls ? 8 : 7);
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) url.prefix = rest.substr(slash);
  while (url.prefix.ends_with('/')) url.prefix.pop_back();
  rest = rest.substr(0, slash);
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) return refuse();
  const std::size_t colon = rest.find(':', bracket);
  url.host = rest.substr(0, colon);
  if (bracket != 0) {
    if (url.host.size() != bracket + 1) return refuse();
    url.host = url.host.substr(1, bracket - 1);
  }
  url.port = colon == std::string_view::npos ? (url.tls ? "443" : "80")
                                             : std::string(rest.substr(colon + 1));
  if (url.host.empty() || !is_number(url.port) ||
      url.prefix.find_first_of("?#") != std::string::npos ||
      url.host.find_first_of("@?#") != std::string::npos)
    return refuse();
  return url;
}

struct Client::State {
  ClientOptions options;
  std::optional<asio::ssl::context> tls;

  std::mutex mutex;
  // guarded by mutex
  asio::io_context* running = nullptr;
  bool is_cancelled = false;
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::make(ClientOptions options) {
  auto state = std::make_unique<State>();
  if (options.url.tls) {
    state->tls.emplace(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(state->tls->native_handle(), TLS1_3_VERSION);
    error_code ec;
    if (options.ca_file.empty())
      state->tls->set_default_verify_paths(ec);
    else
      state->tls->load_verify_file(options.ca_file, ec);
    if (ec)
      return fail(ErrorCode::kInvalid,
                  fmt::format("no usable authority in '{}': {}; give a PEM file that this user can "
                              "read",
                              options.ca_file, ec.message()));
  }
  state->options = std::move(options);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

// What cancel() stops; for as long as the exchange is there, however it ends.
class Client::Running {
 public:
  Running(State& state, asio::io_context& io) : state_(state) {
    const std::lock_guard lock(state_.mutex);
    state_.running = &io;
    if (state_.is_cancelled) io.stop();
  }
  ~Running() {
    const std::lock_guard lock(state_.mutex);
    state_.running = nullptr;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  State& state_;
};

Result<ClientAnswer> Client::post(std::string_view path, std::string_view content_type,
                                  std::string_view body) {
  const ClientOptions& options = state_->options;
  const auto unavailable = [&](std::string_view why) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}:{}: {}", in_brackets(options.url.host), options.url.port, why));
  };
  // Where descriptors or threads have run out, making the parts throws.
  try {
    Exchange exchange(options.url, state_->tls ? &*state_->tls : nullptr,
                      compose(options.url, path, content_type, body), options.answer_bytes_max);
    {
      const Running running(*state_, exchange.io());
      exchange.run(options.timeout);
    }
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->is_cancelled) return unavailable("cancelled");
    }
    if (const std::string failure = exchange.failure(); !failure.empty())
      return unavailable(failure);
    return exchange.take_answer();
  } catch (const std::exception& failure) {
    return unavailable(failure.what());
  }
}

void Client::cancel() {
  const std::lock_guard lock(state_->mutex);
  state_->is_cancelled = true;
  if (state_->running != nullptr) state_->running->stop();
}

}  // namespace eventchain::net::http
