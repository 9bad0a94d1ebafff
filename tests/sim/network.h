#pragma once

#include <array>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "chain/rng.h"
#include "net/messages.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/trace.h"

namespace eventchain::sim {

// The links between all pairs of nodes. A link behaves as TCP under TLS with our send queue above
// it: within a priority class messages arrive in order and none is lost while the link lives; when
// it breaks, what is under way is gone, and the two ends learn of it at different moments.
//
// A direction can be cut: then messages stall, and after a while of silence the link breaks. No
// link comes up while a direction is cut, an end is down, or one does not let the other in.
class Network {
 public:
  struct Options {
    Span latency_max = std::chrono::milliseconds(5);
    // Message-level faults, which TLS excludes and the handlers must stand anyway.
    std::uint32_t duplicate_one_in = 0;
    std::uint32_t reorder_one_in = 0;
    bool uses_codec = false;  // every message passes through its wire form
    bool dials = true;        // every link that may be comes up; else somebody calls join()
  };
  // Of one end: up, down, or what the other end said.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void link_up(std::size_t at, std::size_t peer) = 0;
    virtual void link_down(std::size_t at, std::size_t peer) = 0;
    virtual void said(std::size_t at, std::size_t peer, net::Message message) = 0;
  };

  Network(std::size_t nodes, const Options& options, Scheduler& scheduler, Trace& trace,
          Receiver& receiver, chain::Rng rng);

  void node_up(std::size_t node);
  void node_down(std::size_t node);
  // The link comes up now, and both ends see it. Pre: may_join().
  void join(std::size_t a, std::size_t b);
  [[nodiscard]] bool may_join(std::size_t a, std::size_t b) const;
  // From then on a link that is down could come up again.
  [[nodiscard]] Time ready_at(std::size_t a, std::size_t b) const { return link(a, b).ready_at; }
  [[nodiscard]] bool is_up(std::size_t a, std::size_t b) const { return link(a, b).is_up; }
  // False: there is no link, and the message is lost.
  bool send(std::size_t from, std::size_t to, const std::shared_ptr<const net::Message>& message);
  void break_link(std::size_t a, std::size_t b);
  // Whether the two let each other in; they do until they are told not to.
  void allow(std::size_t a, std::size_t b, bool is_allowed);
  void cut(std::size_t from, std::size_t to);
  void mend(std::size_t from, std::size_t to);
  void mend_all();
  void slow_down(std::size_t a, std::size_t b, Span extra) { link(a, b).extra = extra; }
  // No more duplicates, disorder or slowness.
  void calm();

  [[nodiscard]] bool is_cut(std::size_t from, std::size_t to) const;
  [[nodiscard]] std::uint64_t messages() const { return messages_; }

 private:
  using Said = std::shared_ptr<const net::Message>;

  struct Direction {
    bool is_cut = false;
    std::array<Time, net::kPriorities> last_arrival{};
    std::vector<Said> stalled;
  };
  struct Link {
    std::size_t ends[2] = {0, 0};
    bool is_allowed = true;
    bool is_up = false;
    bool sees_up[2] = {false, false};
    Time up_at[2];
    Time ready_at;            // both ends have noticed the last break
    std::uint64_t epoch = 0;  // of the connection: what belongs to another one is void
    Span latency{0};
    Span extra{0};
    Direction to[2];  // direction towards ends[i]
  };

  Link& link(std::size_t a, std::size_t b);
  [[nodiscard]] const Link& link(std::size_t a, std::size_t b) const;
  void dial(Link& link);
  [[nodiscard]] bool may_connect(const Link& link) const;
  void connect(Link& link);
  void open(Link& link, Span notice_max);
  void break_up(Link& link);
  void transmit(Link& link, std::size_t end, const Said& message);
  void arrive(Link& link, std::size_t end, Time when, const Said& message);

  const Options options_;
  Scheduler& scheduler_;
  Trace& trace_;
  Receiver& receiver_;
  chain::Rng rng_;
  std::vector<bool> is_alive_;
  std::vector<std::uint64_t> lives_;      // of each node: notices for an earlier life are void
  std::vector<std::vector<Link>> links_;  // [b][a] for a < b
  bool is_calm_ = false;
  std::uint64_t messages_ = 0;
};

}  // namespace eventchain::sim
