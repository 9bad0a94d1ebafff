#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chain/hash.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/store_id_file.h"
#include "tests/unit/temporary_directory.h"
#include "tools/eventchain/synthetic_chain.h"
#include "tools/eventchain/verify.h"

// A small chain with everything in it that a node stores, as a node would have stored it.
namespace made_up {

using namespace eventchain;
using namespace eventchain::tools;

inline std::unique_ptr<store::SqliteStore> open_empty(const TemporaryDirectory& directory,
                                                      const chain::Genesis& genesis) {
  REQUIRE(store::write_store_id(directory.path(), genesis.voters[0].store));
  auto opened = store::open_store(directory.file("chain.db"), genesis, genesis.voters[0].store);
  INFO((opened ? "" : opened.error().message));
  REQUIRE(opened.has_value());
  (*opened)->chain().recover();
  return std::move(*opened);
}

inline chain::MemberOrder order(decltype(chain::MemberOrder::what) what) {
  return {"ann", std::move(what)};
}

// Twelve blocks: 300 events in one of them, so that a tile of the second level is begun; each kind
// of rejection; an event that was rejected twice, and one that was placed after it was rejected; a
// fourth node that joins and becomes a voter.
struct Story {
  std::string data_of_event_7 = "{\"amount\": 7}";  // in block 2
  std::size_t blocks = 12;

  [[nodiscard]] std::vector<NextBlock> told() const {
    using Reason = chain::RejectionReason;
    const chain::Member newcomer = made_up_member(3, chain::MemberRole::kStandby);
    const auto token = chain::as_kind<chain::JoinToken>(chain::sha256("token"));
    const chain::UnixMillis later{1'800'000'000'000};
    const chain::HeldEvent early = event(500, "late", "{}", 1);
    const chain::HeldEvent never = event(501, "late", "{}", 90);
    std::vector<NextBlock> all(12);
    all[0] = {.events = some(0, 5), .signers = {0, 1, 2}};
    all[1] = {.events = some(5, 5), .signers = {0, 2}};
    all[2] = {.events = {event(20, "late")},
              .refused = {{early, Reason::kExpectationExpired},
                          {never, Reason::kExpectationExpired},
                          {event(502, "stream-1", "{}", 0), Reason::kVersionConflict},
                          {event(3, "stream-0", "{\"other\": true}"), Reason::kKeyTaken}},
              .signers = {1, 2}};
    all[3] = {.events = {event(21, "late")}, .signers = {}};
    all[4] = {.events = {early, event(22, "late")},
              .refused = {{never, Reason::kExpectationExpired}},
              .signers = {0, 1}};
    all[5] = {.orders = {order(chain::Invite{
                  {chain::token_hash(token), newcomer.role, newcomer.name, newcomer.site, later}})},
              .signers = {0, 1, 2}};
    all[6] = {.events = some(30, 2), .orders = {order(chain::Admit{token, newcomer})}};
    all[7] = {.orders = {order(chain::SetRole{newcomer.node, chain::MemberRole::kVoter})},
              .signers = {0, 1, 2}};
    all[8] = {.events = some(1000, 300), .signers = {0, 1, 3}};
    all[9] = {.events = some(40, 1), .signers = {0, 1, 2, 3}};
    all[10] = {.events = some(41, 1)};
    all[11] = {.events = some(42, 3), .signers = {1, 2, 3}};
    all.resize(blocks);
    return all;
  }

 private:
  static chain::HeldEvent event(std::uint64_t number, std::string stream, std::string data = "{}",
                                std::optional<std::int32_t> expected = std::nullopt) {
    return hold_made_up({number, std::move(stream), std::move(data), expected});
  }
  [[nodiscard]] std::vector<chain::HeldEvent> some(std::uint64_t first, std::uint64_t count) const {
    std::vector<chain::HeldEvent> events;
    for (std::uint64_t number = first; number < first + count; ++number)
      events.push_back(event(number, "stream-" + std::to_string(number % 3),
                             number == 7 ? data_of_event_7 : "{}"));
    return events;
  }
};

// The story as a database on the disk, which nobody writes any more.
struct Written {
  TemporaryDirectory directory;
  std::string database = directory.file("chain.db");
  chain::Genesis genesis = made_up_genesis();
  chain::ChainState state = chain::initial_state(genesis);

  explicit Written(const Story& story = {}) {
    const auto to = open_empty(directory, genesis);
    SyntheticChain chain(genesis, *to);
    for (const NextBlock& next : story.told()) chain.add(next);
    state = chain.state();
  }

  [[nodiscard]] chain::Result<VerifyReport> try_to_verify(
      const KeptFiles* against = nullptr) const {
    VerifyOptions options;
    options.database = database;
    options.genesis = genesis;
    options.against = against;
    return verify_chain(options);
  }
  [[nodiscard]] VerifyReport verify(const KeptFiles* against = nullptr) const {
    auto report = try_to_verify(against);
    INFO((report ? "" : report.error().message));
    REQUIRE(report.has_value());
    return *report;
  }
};

inline std::string texts(const VerifyReport& report) {
  std::string all;
  for (const Finding& finding : report.findings.kept())
    all += finding.thing + " " + std::to_string(finding.place) + ": " + finding.text + "\n";
  return all;
}

}  // namespace made_up
