#pragma once

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "node/core.h"
#include "tests/unit/node_core/node_core_fixture.h"

namespace eventchain::node::testing {

// Three cores whose messages the test carries, or not. A turn for each input.
struct Trio {
  Trio() {
    for (std::size_t i = 0; i < 3; ++i) {
      CoreOptions options;
      options.self = voter_id(i);
      options.genesis = genesis;
      options.seed = i + 1;
      options.mines = false;
      stores[i].turns().begin();
      cores[i] = std::make_unique<NodeCore>(options, stores[i]);
      cores[i]->start(now);
      end_turn(i);
    }
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t peer = 0; peer < 3; ++peer)
        if (peer != i) handle(i, PeerUp{voter_id(peer), voter_store(peer)});
  }

  void handle(std::size_t at, Input input) {
    cores[at]->handle(now, std::move(input));
    end_turn(at);
  }
  void end_turn(std::size_t at) {
    auto effects = cores[at]->take_effects();
    stores[at].turns().commit();
    stores[at].turns().begin();
    for (auto* list : {&effects.ahead, &effects.when_durable}) {
      for (auto& effect : *list) {
        if (const auto* ready = std::get_if<ReadReady>(&effect)) answers.push_back(*ready);
        const auto* send = std::get_if<Send>(&effect);
        if (send == nullptr) continue;
        for (const auto& to : send->to) mail.push_back({at, place_of(to), send->message});
      }
    }
  }

  // Carries messages until none is left, and lets time pass, for so long.
  void run(std::chrono::milliseconds span) {
    for (const auto end = now.steady + span; now.steady < end;
         now.steady = now.steady + std::chrono::milliseconds(10)) {
      while (!mail.empty()) {
        const auto letter = std::move(mail.front());
        mail.pop_front();
        if (is_cut(letter.from) || is_cut(letter.to)) continue;
        handle(letter.to, PeerSaid{voter_id(letter.from), letter.message});
      }
      for (std::size_t i = 0; i < 3; ++i)
        if (cores[i]->next_wakeup() <= now.steady) handle(i, Woke{});
    }
  }
  [[nodiscard]] bool is_cut(std::size_t node) const { return cut == node; }
  std::size_t elect() {
    for (int i = 0; i < 100; ++i) {
      run(std::chrono::milliseconds(100));
      for (std::size_t node = 0; node < 3; ++node)
        if (!is_cut(node) && cores[node]->replica().is_ready()) return node;
    }
    FAIL("nobody leads");
    return 0;
  }
  void read(std::size_t at, std::uint64_t request, std::chrono::milliseconds patience) {
    handle(at, ClientReads{RequestId{request}, now.steady + patience});
  }

  struct Letter {
    std::size_t from;
    std::size_t to;
    net::Message message;
  };
  const chain::Genesis genesis = easy_genesis(3);
  chain::Now now{chain::Instant{std::chrono::seconds(5)}, {1'750'000'000'000}};
  std::array<store::MemoryStore, 3> stores{store::MemoryStore(genesis), store::MemoryStore(genesis),
                                           store::MemoryStore(genesis)};
  std::array<std::unique_ptr<NodeCore>, 3> cores;
  std::deque<Letter> mail;
  std::vector<ReadReady> answers;
  std::optional<std::size_t> cut;
};

}  // namespace eventchain::node::testing
