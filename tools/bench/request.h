#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace eventchain::bench {

struct RequestPlan {
  std::string wait = "durable";
  std::size_t batch = 100;        // 1: the single-event form, not a batch of one
  std::size_t event_bytes = 256;  // of the event's JSON text; at least kEventBytesMin
  std::uint32_t streams = 1000;
  std::uint64_t session = 0;  // sets the ids of one run apart from all others
  std::uint32_t connection = 0;
};
inline constexpr std::size_t kEventBytesMin = 220;

// A POST of events, built once. next() only writes new ids and streams over the old ones.
class EventRequest {
 public:
  explicit EventRequest(const RequestPlan& plan);
  // Valid until the next call.
  std::string_view next();

 private:
  const std::uint32_t streams_;
  std::uint64_t sequence_ = 0;
  std::string bytes_;
  std::vector<std::size_t> ids_;           // where each event's sequence number stands
  std::vector<std::size_t> stream_names_;  // where each event's stream number stands
};

}  // namespace eventchain::bench
