#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "net/http/limits.h"

namespace eventchain::net::http {

// Who may come in and how much may be in flight, over all loops of one server. Thread-safe. Every
// successful call of the left column is paid back by one of the right.
class Admission {
 public:
  explicit Admission(const Limits& limits) : limits_(limits) {}

  bool enter(const std::string& address);  // leave()
  void leave(const std::string& address);
  bool begin_handshake();  // end_handshake()
  void end_handshake();
  bool identify(const std::string& principal);  // forget()
  void forget(const std::string& principal);
  bool take_body(std::size_t octets);  // give_body()
  void give_body(std::size_t octets);
  // `held`: what the same connection has waiting already.
  bool take_answer(std::size_t octets, std::size_t held);  // give_answer()
  void give_answer(std::size_t octets);
  [[nodiscard]] bool has_answer_room() const;

  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::size_t body_octets() const { return body_octets_; }

 private:
  bool count_up(std::map<std::string, std::size_t>& counts, const std::string& name,
                std::size_t most);
  void count_down(std::map<std::string, std::size_t>& counts, const std::string& name);

  const Limits limits_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> handshakes_{0};
  std::atomic<std::size_t> body_octets_{0};
  std::atomic<std::size_t> answer_octets_{0};
  // guarded by mutex_
  std::mutex mutex_;
  std::map<std::string, std::size_t> by_address_;
  std::map<std::string, std::size_t> by_principal_;
};

}  // namespace eventchain::net::http
