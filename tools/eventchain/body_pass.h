#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/sqlite/chain_scan.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

// What the database holds under one arrival number, recomputed from salt and body alone.
struct HeldBody {
  enum class State : std::uint8_t {
    kGood,     // a well-formed event; whether it is the committed one, the block tells
    kDamaged,  // no valid event any more, but its attributes can still be read
    kUnreadable,
  };
  using Place = store::ChainScan::EventRow::Place;
  State state = State::kUnreadable;
  Place place = Place::kPending;
  bool has_good_mark = true;  // what was noted of its commitment at intake
  chain::EventFacts facts;    // commitment always; the rest unless unreadable
  std::uint64_t arrival = 0;
  // As the database claims.
  std::uint64_t position = 0;
  std::uint64_t height = 0;
  std::int64_t version = 0;
  std::optional<std::int64_t> reason;
};

// The first pass: reads and hashes every body, in parallel ranges of arrival numbers.
class BodyPass {
 public:
  // Where a body is among all that were read; never changes.
  using Place = std::uint64_t;

  // Runs to the end; what cannot be read becomes a finding.
  static chain::Result<BodyPass> run(const VerifyOptions& options,
                                     const store::ChainScan::Extent& extent, Findings& findings);

  // Null: nothing claims this position.
  [[nodiscard]] const HeldBody* at(std::uint64_t position) const {
    return position < placed_.size() && placed_[position] != kNowhere ? &held(placed_[position])
                                                                      : nullptr;
  }
  // Those that a block refused, and no other placed.
  [[nodiscard]] const HeldBody* rejected(const chain::Commitment& commitment) const;
  // Whatever its position. The first time it looks through all.
  [[nodiscard]] const HeldBody* placed(const chain::Commitment& commitment) const;
  [[nodiscard]] std::optional<Place> find(std::uint64_t arrival) const;
  // Has the processor fetch what find() and held() will read: an index of keys names bodies in no
  // order, and waiting for each took an eighth of a verification.
  void expect(std::uint64_t arrival) const;
  [[nodiscard]] const HeldBody& held(Place place) const {
    return ranges_[place / kRangeArrivals].bodies[place % kRangeArrivals];
  }
  // More than any place.
  [[nodiscard]] Place places_end() const { return ranges_.size() * kRangeArrivals; }
  [[nodiscard]] const std::map<chain::Commitment, Place>& rejections() const { return rejected_; }
  template <class Visit>
  void each(Visit visit) const {
    for (std::size_t range = 0; range < ranges_.size(); ++range)
      for (std::size_t i = 0; i < ranges_[range].bodies.size(); ++i)
        visit(Place{range * kRangeArrivals + i}, ranges_[range].bodies[i]);
  }

  [[nodiscard]] std::uint64_t positions() const { return placed_.size(); }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }  // that were hashed
  [[nodiscard]] std::uint64_t settled() const { return settled_; }

 private:
  struct Shared;
  struct Range {
    std::uint64_t first = 0;
    std::vector<HeldBody> bodies;  // by arrival, from `first` on, within kRangeArrivals
  };
  static constexpr std::uint64_t kRangeArrivals = 16 * 1024;
  static constexpr Place kNowhere = ~Place{0};

  // Whose first arrival is the last up to this one; null: none is.
  [[nodiscard]] const Range* range_of(std::uint64_t arrival) const;

  static void work(Shared& shared, store::ChainScan& scan);
  void place_all(std::uint64_t blocks, Findings& findings);

  std::vector<Range> ranges_;  // by first arrival
  std::vector<Place> placed_;  // by position
  std::map<chain::Commitment, Place> rejected_;
  mutable std::map<chain::Commitment, Place> by_commitment_;  // of what is placed, once asked for
  std::uint64_t octets_ = 0;
  std::uint64_t settled_ = 0;
};

// Source and id as far as a stored body still tells them, for people.
std::string describe_body(const VerifyOptions& options, const HeldBody& held);

}  // namespace eventchain::tools
