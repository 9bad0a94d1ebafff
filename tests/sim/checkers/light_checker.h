#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/certificate.h"
#include "net/messages.h"
#include "tests/sim/checkers/chain_checker.h"
#include "tests/sim/checkers/member_checker.h"
#include "tests/sim/roster.h"

namespace eventchain::sim {

// A light member has the one chain as far as headers tell: its blocks are those that were committed
// (I1), it never goes back (I5), its tip has signatures of a majority of those who vote before or
// after that block (I13), and it comes back with what it had (I12). And nobody counts on one: it
// says nothing but what it asks for and its shares, takes nothing in, and is no server of Raft's
// (light).
class LightChecker {
 public:
  LightChecker(const Roster& roster, const ChainChecker& chain, const MemberChecker& membership);

  // A light member runs on this host from now on.
  void set_up(std::size_t host);

  // After a commit of a light member. True if its tip is another than before.
  bool committed(const NodeHost& host);
  void recovered(const NodeHost& host);
  void says(const NodeHost& host, const net::Message& message) const;
  // Only full nodes do such a thing.
  static void demand_full(const NodeHost& host, const char* does);
  // After a commit of a full node.
  void counted(const NodeHost& host) const;
  void extended(const std::vector<chain::Block>& blocks);

  // Hosts that were set up, headers that they took, and their shares in blocks.
  [[nodiscard]] std::size_t members() const { return lights_.size(); }
  [[nodiscard]] std::uint64_t headers() const { return headers_; }
  [[nodiscard]] std::uint64_t shares() const { return shares_; }

 private:
  struct Kept {
    chain::Height height;
    chain::BlockId tip;
    chain::Hash member_set;
    chain::Hash history_root;
    chain::Certificate certificate;
    bool operator==(const Kept&) const = default;
  };
  static Kept of(const NodeHost& host);
  void demand_certificate(const NodeHost& host, const Kept& now) const;

  const Roster& roster_;
  const ChainChecker& chain_;
  const MemberChecker& membership_;
  std::vector<std::size_t> lights_;
  std::vector<std::optional<Kept>> kept_;  // by host
  std::uint64_t headers_ = 0;
  std::uint64_t shares_ = 0;
};

}  // namespace eventchain::sim
