#pragma once

#include <chrono>
#include <cstddef>

namespace eventchain::net::http {

// Every bound of the HTTP server in one place. What a client can make us hold or wait for is
// bounded by one of these; the defaults are the server's, tests set shorter ones.
struct Limits {
  // Start line and fields. CloudEvents in binary mode carry their attributes here.
  std::size_t header_bytes_max = std::size_t{8} * 1024;
  std::size_t body_bytes_max = std::size_t{16} * 1024 * 1024;
  // Sum of the request bodies that are being read or handled, over all connections.
  std::size_t bodies_in_flight_max = std::size_t{256} * 1024 * 1024;
  // Sum of the answers and pieces of streams that wait to be written, over all connections; far
  // above the largest single one. Up to the second figure an answer, or what waits behind the
  // piece of a stream that is being written, is counted but never refused: readers that do not
  // read must not keep the others from their short answers (1,024 x 32 KiB more at worst).
  std::size_t answers_in_flight_max = std::size_t{256} * 1024 * 1024;
  std::size_t short_answer_max = std::size_t{16} * 1024;
  // What waits to be sent to the reader of one stream; a single larger chunk is let through.
  std::size_t stream_buffer_max = std::size_t{1} * 1024 * 1024;

  std::size_t connections_max = 1024;
  std::size_t connections_per_address_max = 256;
  std::size_t connections_per_principal_max = 256;
  std::size_t handshakes_max = 64;  // TLS handshakes that are not done yet

  std::chrono::milliseconds handshake_deadline{5'000};
  std::chrono::milliseconds header_deadline{10'000};  // from the first octet to the empty line
  // While a body is read or an answer or a piece of a stream is sent, each stretch of
  // `body_deadline` must see `octets_per_second_min` octets a second pass (pace.h).
  std::chrono::milliseconds body_deadline{20'000};
  std::size_t octets_per_second_min = 1024;
  std::chrono::milliseconds idle_deadline{60'000};  // between requests
  // After a refusal we read on for a moment and drop what comes: closing at once would reset the
  // connection and the client would never see the answer. A server that stops waits no longer for
  // those who read their last answer.
  std::chrono::milliseconds linger{2'000};
  std::chrono::milliseconds stream_keep_alive{15'000};
};

}  // namespace eventchain::net::http
