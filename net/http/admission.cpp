#include "net/http/admission.h"

namespace eventchain::net::http {

namespace {

// Adds unless that would pass `most`.
bool add_within(std::atomic<std::size_t>& count, std::size_t by, std::size_t most) {
  std::size_t seen = count.load();
  do {
    if (by > most || seen > most - by) return false;
  } while (!count.compare_exchange_weak(seen, seen + by));
  return true;
}

}  // namespace

bool Admission::enter(const std::string& address) {
  if (!add_within(connections_, 1, limits_.connections_max)) return false;
  if (count_up(by_address_, address, limits_.connections_per_address_max)) return true;
  --connections_;
  return false;
}

void Admission::leave(const std::string& address) {
  count_down(by_address_, address);
  --connections_;
}

bool Admission::begin_handshake() {
  return add_within(handshakes_, 1, limits_.handshakes_max);
}
void Admission::end_handshake() {
  --handshakes_;
}

bool Admission::identify(const std::string& principal) {
  return count_up(by_principal_, principal, limits_.connections_per_principal_max);
}
void Admission::forget(const std::string& principal) {
  count_down(by_principal_, principal);
}

bool Admission::take_body(std::size_t octets) {
  return add_within(body_octets_, octets, limits_.bodies_in_flight_max);
}
void Admission::give_body(std::size_t octets) {
  body_octets_ -= octets;
}

bool Admission::take_answer(std::size_t octets, std::size_t held) {
  if (held + octets > limits_.short_answer_max)
    return add_within(answer_octets_, octets, limits_.answers_in_flight_max);
  answer_octets_ += octets;
  return true;
}
void Admission::give_answer(std::size_t octets) {
  answer_octets_ -= octets;
}
bool Admission::has_answer_room() const {
  return answer_octets_ < limits_.answers_in_flight_max;
}

bool Admission::count_up(std::map<std::string, std::size_t>& counts, const std::string& name,
                         std::size_t most) {
  const std::lock_guard lock(mutex_);
  // Read first: a name that is refused must not stay in the map.
  const auto found = counts.find(name);
  if (found != counts.end() ? found->second >= most : most == 0) return false;
  ++counts[name];
  return true;
}

void Admission::count_down(std::map<std::string, std::size_t>& counts, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = counts.find(name);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace eventchain::net::http
