#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "net/asio/mesh.h"

namespace eventchain::net {

// What the mesh's threads count while it runs. Each number stands alone, so relaxed order is
// enough; MeshCounters is a copy for metrics.
struct LiveCounters {
  using Count = std::atomic<std::uint64_t>;

  Count links{0};
  Count bytes_in{0};
  Count bytes_out{0};
  Count pings_in{0};
  Count dials_failed{0};
  Count too_large_to_send{0};
  std::array<Count, kMessageKinds> frames_in{};
  std::array<Count, kMessageKinds> frames_out{};
  std::array<Count, kEndings> endings{};

  [[nodiscard]] MeshCounters snapshot() const {
    MeshCounters copy;
    copy.links = links;
    copy.bytes_in = bytes_in;
    copy.bytes_out = bytes_out;
    copy.pings_in = pings_in;
    copy.dials_failed = dials_failed;
    copy.too_large_to_send = too_large_to_send;
    for (std::size_t i = 0; i < kMessageKinds; ++i) {
      copy.frames_in[i] = frames_in[i];
      copy.frames_out[i] = frames_out[i];
    }
    for (std::size_t i = 0; i < kEndings; ++i) copy.endings[i] = endings[i];
    return copy;
  }
};

}  // namespace eventchain::net
