#include "mining/kernels/sha256_rounds.h"

namespace eventchain::mining::kernels {

Schedule expand_schedule(const BlockWords& words) {
  Schedule schedule;
  for (std::size_t t = 0; t < 16; ++t) schedule[t] = words[t];
  for (std::size_t t = 16; t < 64; ++t) {
    const std::uint32_t old = schedule[t - 15];
    const std::uint32_t young = schedule[t - 2];
    const std::uint32_t sigma0 = std::rotr(old, 7) ^ std::rotr(old, 18) ^ (old >> 3);
    const std::uint32_t sigma1 = std::rotr(young, 17) ^ std::rotr(young, 19) ^ (young >> 10);
    schedule[t] = sigma1 + schedule[t - 7] + sigma0 + schedule[t - 16];
  }
  for (std::size_t t = 0; t < 64; ++t) schedule[t] += kRoundConstants[t];
  return schedule;
}

State run_rounds(State state, const Schedule& schedule, std::size_t first, std::size_t last) {
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t t = first; t < last; ++t) {
    const std::uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t choice = g ^ (e & (f ^ g));
    const std::uint32_t t1 = h + sum1 + choice + schedule[t];
    const std::uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t majority = (a & b) | (c & (a | b));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + sum0 + majority;
  }
  return {a, b, c, d, e, f, g, h};
}

State compress(const State& chaining, const BlockWords& words) {
  State result = run_rounds(chaining, expand_schedule(words), 0, 64);
  for (std::size_t i = 0; i < result.size(); ++i) result[i] += chaining[i];
  return result;
}

}  // namespace eventchain::mining::kernels
