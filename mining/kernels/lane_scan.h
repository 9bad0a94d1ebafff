// The scan of a tile by vectors of columns: one text for every instruction set that has no SHA-256
// of its own. A kernel's source file includes it in its anonymous namespace, after it has defined
//
//   EC_LANE_TARGET  the target attribute of every function: no template parameter can stand for it
//   EC_LANE_INLINE  the same with always_inline
//   Lanes           Vector: kLanes neighbouring columns; Spread: one word for all of them; and what
//                   SHA-256 does with them
//
// and has included what the text needs of the standard library.
#pragma once

using Vector = Lanes::Vector;
using Spread = Lanes::Spread;

constexpr std::size_t kOpenRounds = kLastNeededRound + 1 - kFirstOpenRound;
// K[t] + W[t] of the open rounds, each in every lane: an operand in memory for the additions. To
// copy a word into all lanes costs an instruction where it is used; here it is done once a row.
using SpreadSchedule = std::array<Spread, kOpenRounds>;

using LaneWords = std::array<std::uint32_t, Lanes::kLanes>;

EC_LANE_INLINE Vector first_sum(const Vector& e, const Vector& f, const Vector& g, const Vector& h,
                                const Spread& constant) {
  const Vector partial = Lanes::add(Lanes::add(h, constant), Lanes::choose(e, f, g));
  return Lanes::add(partial,
                    Lanes::xor3(Lanes::rotr<6>(e), Lanes::rotr<11>(e), Lanes::rotr<25>(e)));
}

// One round without moving the words: the caller renames them.
EC_LANE_INLINE void round(const Vector& a, const Vector& b, const Vector& c, Vector& d,
                          const Vector& e, const Vector& f, const Vector& g, Vector& h,
                          Vector& b_xor_c, const Spread& constant) {
  const Vector t1 = first_sum(e, f, g, h, constant);
  d = Lanes::add(d, t1);
  const Vector partial = Lanes::add(t1, Lanes::majority(a, b, c, b_xor_c));
  h = Lanes::add(partial, Lanes::xor3(Lanes::rotr<2>(a), Lanes::rotr<13>(a), Lanes::rotr<22>(a)));
}

EC_LANE_INLINE void four_rounds(Vector& a, Vector& b, Vector& c, Vector& d, Vector& e, Vector& f,
                                Vector& g, Vector& h, Vector& b_xor_c, const Spread* constants) {
  round(a, b, c, d, e, f, g, h, b_xor_c, constants[0]);
  round(h, a, b, c, d, e, f, g, b_xor_c, constants[1]);
  round(g, h, a, b, c, d, e, f, b_xor_c, constants[2]);
  round(f, g, h, a, b, c, d, e, b_xor_c, constants[3]);
}

// E after round 60 for kLanes columns.
EC_LANE_INLINE Vector last_e(const Tile& tile, std::size_t column, const SpreadSchedule& schedule,
                             const Spread& word12) {
  const std::uint32_t* states = tile.states.data() + column;
  Vector a = Lanes::add(Lanes::load(states), word12);
  Vector b = Lanes::load(states + kTileWidth);
  Vector c = Lanes::load(states + 2 * kTileWidth);
  Vector d = Lanes::load(states + 3 * kTileWidth);
  Vector e = Lanes::add(Lanes::load(states + 4 * kTileWidth), word12);
  Vector f = Lanes::load(states + 5 * kTileWidth);
  Vector g = Lanes::load(states + 6 * kTileWidth);
  Vector h = Lanes::load(states + 7 * kTileWidth);
  Vector b_xor_c = Lanes::xor2(b, c);

  const Spread* at = schedule.data();
  for (int i = 0; i < 5; ++i, at += 8) {
    four_rounds(a, b, c, d, e, f, g, h, b_xor_c, at);
    four_rounds(e, f, g, h, a, b, c, d, b_xor_c, at + 4);
  }
  four_rounds(a, b, c, d, e, f, g, h, b_xor_c, at);
  // What rounds 57..60 put into A would reach E only after round 60.
  h = Lanes::add(h, first_sum(a, b, c, d, at[4]));
  g = Lanes::add(g, first_sum(h, a, b, c, at[5]));
  f = Lanes::add(f, first_sum(g, h, a, b, at[6]));
  return Lanes::add(e, first_sum(f, g, h, a, at[7]));
}

// The schedules of kLanes values of W12 at once: [round - 13][value].
using LaneSchedules = std::array<LaneWords, kOpenRounds>;

EC_LANE_INLINE void expand(const BlockWords& tail, std::uint32_t first, LaneSchedules& schedules) {
  // The last sixteen words: W[t] is at t modulo 16.
  Vector words[16];
  LaneWords same;
  for (std::size_t t = 0; t < 16; ++t) {
    same.fill(tail[t]);
    words[t] = Lanes::load(same.data());
  }
  LaneWords searched;
  for (std::uint32_t i = 0; i < Lanes::kLanes; ++i) searched[i] = first + i;
  words[kSearchedWord] = Lanes::load(searched.data());
  for (std::size_t t = kFirstOpenRound; t <= kLastNeededRound; ++t) {
    Vector& word = words[t % 16];
    if (t >= 16) {
      const Vector old = words[(t - 15) % 16];
      const Vector young = words[(t - 2) % 16];
      const Vector sigma0 =
          Lanes::xor3(Lanes::rotr<7>(old), Lanes::rotr<18>(old), Lanes::shr<3>(old));
      const Vector sigma1 =
          Lanes::xor3(Lanes::rotr<17>(young), Lanes::rotr<19>(young), Lanes::shr<10>(young));
      word = Lanes::add(Lanes::add(word, sigma0), Lanes::add(words[(t - 7) % 16], sigma1));
    }
    Lanes::store(schedules[t - kFirstOpenRound].data(),
                 Lanes::add(word, Lanes::spread(kRoundConstants[t])));
  }
}

EC_LANE_INLINE std::size_t scan_row(const Tile& tile, const Spread& threshold, std::uint32_t word12,
                                    const SpreadSchedule& schedule, Hit* hits) {
  const Spread added = Lanes::spread(word12);
  std::size_t found = 0;
  for (std::size_t column = 0; column < kTileWidth; column += Lanes::kLanes) {
    const Vector h7 = Lanes::add(last_e(tile, column, schedule, added),
                                 Lanes::load(tile.last_chaining.data() + column));
    std::uint64_t passing = Lanes::at_most(h7, threshold);
    for (; passing != 0; passing &= passing - 1) {
      const auto lane = static_cast<std::uint32_t>(std::countr_zero(passing));
      hits[found++] = {word12, static_cast<std::uint32_t>(column) + lane};
    }
  }
  return found;
}

EC_LANE_TARGET std::size_t scan_lanes(const Tile& tile, std::uint32_t threshold, ScanRange range,
                                      Hit* hits) {
  const Spread thresholds = Lanes::spread(threshold);
  LaneSchedules schedules;
  SpreadSchedule schedule;
  std::size_t found = 0;
  for (std::uint32_t i = 0; i < range.count; ++i) {
    const std::uint32_t lane = i % Lanes::kLanes;
    if (lane == 0) expand(tile.tail, range.first + i, schedules);
    for (std::size_t t = 0; t < kOpenRounds; ++t) schedule[t] = Lanes::spread(schedules[t][lane]);
    found += scan_row(tile, thresholds, range.first + i, schedule, hits + found);
  }
  return found;
}
