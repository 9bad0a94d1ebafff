#include "net/http/request_parser.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>

namespace eventchain::net::http {

namespace beast = boost::beast;
using beast::error_code;
using beast::string_view;

namespace {

constexpr std::size_t kReserveMax = std::size_t{256} * 1024;

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool is_same_token(std::string_view a, std::string_view b) {
  return beast::iequals(string_view(a.data(), a.size()), string_view(b.data(), b.size()));
}

}  // namespace

// Beast calls these as it recognises parts. A refusal of ours travels beside Beast's error code.
struct RequestParser::Grammar final : beast::http::basic_parser<true> {
  explicit Grammar(const Limits& limits) {
    header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    body_limit(limits.body_bytes_max);
    body_max = limits.body_bytes_max;
    // Chunk extensions are octets that never reach the body; they are bounded like it.
    raw_body_max = 2 * limits.body_bytes_max + limits.header_bytes_max;
  }

  Request request;
  Refusal refusal;
  bool is_refused = false;
  bool expects_continue = false;
  bool is_http_1_0 = false;
  bool is_header_over = false;
  bool was_header_told = false;
  std::size_t hosts = 0;
  std::size_t raw_header = 0;
  std::size_t raw_body = 0;
  std::size_t body_max = 0;
  std::size_t raw_body_max = 0;

  void refuse(error_code& ec, Refusal why) {
    refusal = why;
    is_refused = true;
    ec = beast::http::error::bad_field;
  }

  void on_request_impl(beast::http::verb, string_view method, string_view target, int version,
                       error_code& ec) override {
    request.method = std::string(view(method));
    request.target = std::string(view(target));
    is_http_1_0 = version == 10;
    if (version != 10 && version != 11)
      refuse(ec, {505, "http-version", "only HTTP/1.1 and HTTP/1.0 are spoken here"});
  }
  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(beast::http::field name, string_view text, string_view value,
                     error_code& ec) override {
    // Trailers of a chunked body would come in here after the header was judged.
    if (is_header_over) return;
    if (name == beast::http::field::host) ++hosts;
    if (name == beast::http::field::expect) {
      if (!is_same_token(view(value), "100-continue"))
        return refuse(ec, {417, "expectation", "the only known expectation is 100-continue"});
      expects_continue = true;
    }
    // Another coding below chunked would be a body that we hand on undecoded, and a proxy in front
    // of us might read its length differently.
    if (name == beast::http::field::transfer_encoding && !is_same_token(view(value), "chunked"))
      return refuse(ec, {501, "transfer-encoding", "the only known transfer coding is chunked"});
    request.headers.push_back({lower(view(text)), std::string(view(value))});
  }

  void on_header_impl(error_code& ec) override {
    is_header_over = true;
    if (chunked() && is_http_1_0)
      return refuse(ec, {400, "malformed-request", "HTTP/1.0 has no Transfer-Encoding"});
    if (hosts > 1 || (hosts == 0 && !is_http_1_0))
      refuse(ec, {400, "malformed-request", "send exactly one Host field"});
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override {
    // Announcing is free, so memory is taken for what comes; most bodies fit into this at once.
    if (length && *length <= body_max)
      request.body.reserve(std::min<std::size_t>(static_cast<std::size_t>(*length), kReserveMax));
    ec = {};
  }
  std::size_t on_body_impl(string_view part, error_code& ec) override {
    request.body.append(part.data(), part.size());
    ec = {};
    return part.size();
  }
  void on_chunk_header_impl(std::uint64_t size, string_view, error_code& ec) override {
    ec = {};
    if (size > body_max - request.body.size()) ec = beast::http::error::body_limit;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code& ec) override {
    return on_body_impl(part, ec);
  }
  void on_finish_impl(error_code& ec) override { ec = {}; }
};

namespace {

Refusal refusal_of(const error_code& ec) {
  using beast::http::error;
  if (ec == error::header_limit)
    return {431, "header-too-large", "the request header is over the limit; shorten it"};
  if (ec == error::body_limit)
    return {413, "too-large", "the request body is over the limit; send smaller batches"};
  if (ec == error::bad_content_length || ec == error::multiple_content_length ||
      ec == error::bad_transfer_encoding)
    return {400, "malformed-request",
            "Content-Length and Transfer-Encoding contradict each other or themselves"};
  if (ec == error::bad_version)
    return {505, "http-version", "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  return {400, "malformed-request", "the octets received are no HTTP/1.1 request"};
}

}  // namespace

RequestParser::RequestParser(const Limits& limits) : limits_(limits) {
  reset();
}
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  grammar_ = std::make_unique<Grammar>(limits_);
}

RequestParser::Progress RequestParser::feed(std::string_view bytes) {
  Grammar& grammar = *grammar_;
  Progress progress;
  if (grammar.is_refused) return {Step::kFailed, 0};
  // Beast stops after each part so that a header can be judged before its body is read.
  while (!grammar.is_done()) {
    const std::string_view rest = bytes.substr(progress.consumed);
    if (rest.empty()) return progress;
    error_code ec;
    const std::size_t used = grammar.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    progress.consumed += used;
    // Beast's own header limit starts anew with every piece it is fed.
    (grammar.was_header_told ? grammar.raw_body : grammar.raw_header) += used;
    if (grammar.raw_header > limits_.header_bytes_max) ec = beast::http::error::header_limit;
    if (grammar.raw_body > grammar.raw_body_max) ec = beast::http::error::body_limit;
    if (ec == beast::http::error::need_more) return progress;
    if (ec && ec != beast::http::error::end_of_chunk) {
      if (!grammar.is_refused) grammar.refusal = refusal_of(ec);
      grammar.is_refused = true;
      progress.step = Step::kFailed;
      return progress;
    }
    if (grammar.is_header_done() && !grammar.was_header_told && !grammar.is_done()) {
      grammar.was_header_told = true;
      progress.step = Step::kHeaderDone;
      return progress;
    }
  }
  progress.step = Step::kDone;
  return progress;
}

Request RequestParser::take() {
  return std::move(grammar_->request);
}

const Refusal& RequestParser::refusal() const {
  return grammar_->refusal;
}
std::optional<std::uint64_t> RequestParser::content_length() const {
  const auto length = grammar_->content_length();
  if (!length) return std::nullopt;
  return *length;
}
std::size_t RequestParser::body_size() const {
  return grammar_->request.body.size();
}
bool RequestParser::expects_continue() const {
  return grammar_->expects_continue && !grammar_->is_http_1_0;
}
bool RequestParser::keeps_alive() const {
  return grammar_->keep_alive();
}
bool RequestParser::is_head() const {
  return grammar_->request.method == "HEAD";
}
bool RequestParser::is_http_1_0() const {
  return grammar_->is_http_1_0;
}

}  // namespace eventchain::net::http
