#include "chain/receipt.h"

#include <doctest/doctest.h>

#include <set>

#include "chain/text.h"
#include "tests/unit/receipt_chain.h"

using namespace receipt_test;

namespace {

const ReceiptChain& grown() {
  static const ReceiptChain chain = receipt_chain();
  return chain;
}

ReceiptReport verify(const Receipt& receipt, std::optional<KnownLog> known = std::nullopt) {
  return verify_receipt(receipt, {grown().state.genesis, nullptr, std::move(known)});
}

// The name of the step that fails; empty if all hold.
std::string failing(const Receipt& receipt, std::optional<KnownLog> known = std::nullopt) {
  const ReceiptReport report = verify(receipt, std::move(known));
  // It ends with the first failure, and says nothing more.
  if (report.failed() != nullptr) {
    CHECK(report.failed() == &report.steps.back());
    CHECK(report.proved.empty());
    CHECK_FALSE(report.facts.has_value());
    return report.failed()->name;
  }
  CHECK(report.facts.has_value());
  return {};
}

std::vector<std::string> step_names(const ReceiptReport& report) {
  std::vector<std::string> names;
  for (const ReceiptStep& step : report.steps) names.push_back(step.name);
  return names;
}

bool has_sentence(const std::vector<std::string>& sentences, std::string_view part) {
  return std::ranges::any_of(
      sentences, [&](const std::string& one) { return one.find(part) != std::string::npos; });
}

KnownLog log_of(std::uint64_t height) {
  const TemplateHeader& header = grown().at(height).block.sealed.header;
  return {log_origin(header.chain), header.log_size, header.log_root, std::nullopt};
}

}  // namespace

TEST_CASE(
    "every event, rejection and block of a chain whose voters change has a receipt that holds") {
  const std::vector<Receipt> receipts = grown().all();
  REQUIRE(receipts.size() == 35);
  for (const Receipt& receipt : receipts) {
    INFO("block ", receipt.block.header.height.value);
    const ReceiptReport report = verify(receipt);
    REQUIRE_MESSAGE(report.failed() == nullptr, report.failed()->name, ": ", report.failed()->text);
    for (const ReceiptStep& step : report.steps) CHECK(step.state == StepState::kPassed);
    REQUIRE(report.facts.has_value());
    CHECK(report.facts->block == receipt.block.header.height);
    CHECK(report.facts->signers.size() >= report.facts->voters / 2 + 1);
    CHECK(report.facts->work == U256(3 * 16));
    CHECK(report.facts->work_since.has_value() == receipt.newer.has_value());
  }
}

TEST_CASE("the steps come in one order, and only those that there are") {
  const std::vector<std::string> short_way = {"chain", "member-sets", "body",       "entry",
                                              "seal",  "work",        "certificate"};
  CHECK(step_names(verify(grown().of_event(1, 0))) == short_way);
  const std::vector<std::string> long_way = {
      "chain",   "member-sets", "body",     "rejection", "seal",        "work",
      "history", "voters-6",    "voters-8", "voters-10", "certificate", "checkpoint"};
  CHECK(step_names(verify(grown().of_rejection(3, 0, 11), log_of(3))) == long_way);
}

TEST_CASE("a block's receipt has the steps of a block, and says which it is") {
  const Receipt receipt = grown().of_block(9);
  const ReceiptReport report = verify(receipt);
  const std::vector<std::string> way = {"chain",    "member-sets", "seal",
                                        "work",     "history",     "voters-6",
                                        "voters-8", "voters-10",   "certificate"};
  CHECK(step_names(report) == way);
  REQUIRE(report.is_proved());
  CHECK(report.facts->block_id == grown().at(9).id);
  CHECK_FALSE(report.facts->commitment.has_value());
  CHECK(has_sentence(report.proved, "block 9 of the chain 'shop' is " + to_hex(grown().at(9).id)));
  CHECK_FALSE(has_sentence(report.not_proved, "its writer"));
  CHECK(has_sentence(verify(receipt, log_of(9)).not_proved, "agree on the log"));
  // An event beside it would be believed without a look.
  Receipt with_event = receipt;
  with_event.shown = grown().of_event(9, 0).shown;
  CHECK(failing(with_event) == "body");
}

TEST_CASE("a receipt tells in words and numbers what it proves, and what it does not") {
  const ReceiptReport report = verify(grown().of_event(9, 1));
  REQUIRE(report.is_proved());
  CHECK(report.facts->block == Height{9});
  CHECK(report.facts->certified_block == Height{11});
  CHECK(report.facts->signers == std::vector<std::string>{"n2", "n4"});
  CHECK(report.facts->voters == 3);
  CHECK(*report.facts->work_since == U256(3 * 3 * 16));
  CHECK(has_sentence(report.proved, "id 'order-17', source '/shop' and type 'order.placed'"));
  CHECK(has_sentence(report.proved, "n2 and n4 signed, 2 of the 3 voters at block 11"));
  CHECK(has_sentence(report.proved, "changed 3 times"));
  CHECK(has_sentence(report.proved, rfc3339(grown().at(9).block.sealed.seal.sealed_at)));
  CHECK(has_sentence(report.not_proved, "stream has no others"));
  CHECK(has_sentence(report.not_proved, "the genesis file came from the wrong hands"));
  CHECK(has_sentence(report.not_proved, "everybody is shown this history"));
  CHECK(has_sentence(report.not_proved, "majority of the keys of some time"));
  CHECK(has_sentence(report.not_proved, "followed the rules"));
  CHECK(has_sentence(report.not_proved, "number was even"));
  CHECK(report.facts->event == event_of(17).facts.key);
  CHECK(report.facts->position == Position{16});
  // Where nobody ever left, keys may have been stolen all the same.
  CHECK(
      has_sentence(verify(grown().of_event(1, 0)).not_proved, "majority of the keys of some time"));
  const ReceiptReport rejected = verify(grown().of_rejection(2, 0));
  CHECK(has_sentence(rejected.proved, "block 2 of the chain 'shop' rejected"));
  CHECK(has_sentence(rejected.proved, "stood at version 2"));
  CHECK(has_sentence(rejected.not_proved, "no other block gave the event a position"));
}

TEST_CASE("without its body a receipt still proves the commitment, and says so") {
  for (Receipt receipt : {grown().of_event(7, 0), grown().of_rejection(6, 0)}) {
    receipt.shown.reset();
    const ReceiptReport report = verify(receipt);
    REQUIRE(report.is_proved());
    CHECK(report.find("body")->state == StepState::kNotChecked);
    CHECK(has_sentence(report.proved, to_hex(commitment_of(receipt))));
    CHECK(has_sentence(report.not_proved, "What the event says"));
  }
}

TEST_CASE("any later certified block may stand for a block") {
  for (std::uint64_t height = 1; height <= 11; ++height)
    for (const std::uint64_t certified : {1U, 2U, 4U, 6U, 7U, 8U, 11U})
      if (certified >= height) {
        INFO("block ", height, " certified by ", certified);
        CHECK(failing(grown().of_event(height, 0, certified)) == "");
      }
  // A majority of those who vote after it signed block 10. To go on from it that is enough, to end
  // there it is not.
  CHECK(failing(grown().of_event(9, 0, 10)) == "certificate");
}

TEST_CASE("a genesis file of another chain proves nothing") {
  Genesis other = grown().state.genesis;
  other.name = "shop2";
  const ReceiptReport report = verify_receipt(grown().of_event(1, 0), {other, nullptr, {}});
  REQUIRE(report.failed() != nullptr);
  CHECK(report.failed()->name == "chain");
  CHECK(report.failed()->text.find(to_hex(chain_id(other))) != std::string::npos);
}

TEST_CASE("a path of another event, place or block leads nowhere") {
  Receipt receipt = grown().of_event(5, 1);
  const auto other = std::get<ReceiptEntry>(grown().of_event(5, 2).what);
  std::get<ReceiptEntry>(receipt.what).path = other.path;
  CHECK(failing(receipt) == "entry");
  receipt = grown().of_event(5, 1);
  std::get<ReceiptEntry>(receipt.what).position = other.position;
  CHECK(failing(receipt) == "entry");
  receipt = grown().of_event(5, 1);
  std::get<ReceiptEntry>(receipt.what).commitment = other.commitment;
  CHECK(failing(receipt) == "body");
  receipt.shown.reset();
  CHECK(failing(receipt) == "entry");
  receipt = grown().of_event(5, 1);
  receipt.newer->path = grown().of_event(3, 0, 6).newer->path;
  CHECK(failing(receipt) == "history");
}

TEST_CASE("what too few have signed, or others than the voters, has no certificate") {
  const TemplateHeader& header = grown().at(7).block.sealed.header;
  const Bytes statement = certified_statement(header, grown().at(7).id);
  const auto with = [&](const std::vector<SignedBy>& signers) {
    Receipt receipt = grown().of_event(7, 0);
    receipt.certificate.clear();
    for (const SignedBy& one : signers)
      receipt.certificate.push_back({Slot{one.slot}, signing_key(one.key)->sign(statement)});
    return failing(receipt);
  };
  CHECK(with({{0, 0}, {1, 1}, {2, 2}}) == "");
  CHECK(with({{0, 0}, {1, 1}, {2, 2}, {3, 3}}) == "");
  CHECK(with({}) == "certificate");
  CHECK(with({{0, 0}, {1, 1}}) == "certificate");          // half of four
  CHECK(with({{0, 0}, {1, 1}, {2, 4}}) == "certificate");  // a key of nobody
  CHECK(with({{0, 0}, {1, 1}, {9, 2}}) == "certificate");  // a slot of nobody
  CHECK(with({{0, 0}, {1, 1}, {1, 1}}) == "certificate");  // one of them twice
  CHECK(with({{1, 1}, {0, 0}, {2, 2}}) == "certificate");  // one certificate has one spelling
  CHECK(with({{0, 0}, {1, 1}, {2, 2}, {3, 2}}) == "certificate");  // a bad one beside enough
  // n4 was a member with a key when it had no vote yet.
  Receipt early = grown().of_event(4, 0);
  early.certificate = {
      {Slot{0}, signing_key(0)->sign(certified_statement(early.block.header, grown().at(4).id))},
      {Slot{3}, signing_key(3)->sign(certified_statement(early.block.header, grown().at(4).id))}};
  CHECK(failing(early) == "certificate");
}

TEST_CASE("the way from the first voters to the last is gone step by step") {
  const Receipt whole = grown().of_event(11, 0);
  REQUIRE(whole.voters.size() == 3);
  CHECK(step_names(verify(whole)).back() == "certificate");

  Receipt receipt = whole;
  receipt.voters.erase(receipt.voters.begin());  // its member set is superfluous then
  CHECK(failing(receipt) == "member-sets");
  const auto without_set_of = [](Receipt changed, std::uint64_t height) {
    const Hash set = grown().at(height).block.sealed.header.member_set;
    std::erase_if(changed.member_sets,
                  [&](const MembersRef& one) { return member_set_hash(*one) == set; });
    return changed;
  };
  CHECK(failing(without_set_of(receipt, 6)) == "voters-8");
  receipt = whole;
  receipt.voters.pop_back();
  CHECK(failing(without_set_of(receipt, 10)) == "certificate");
  receipt = whole;
  std::swap(receipt.voters[0], receipt.voters[1]);
  CHECK(failing(receipt) == "voters-8");
  receipt = whole;
  receipt.voters.push_back(receipt.voters.back());
  CHECK(failing(receipt) == "voters-10");
  receipt = whole;
  receipt.voters[0].annex.pop_back();
  CHECK(failing(receipt) == "voters-6");
  receipt = whole;
  receipt.voters[1].certificate.pop_back();  // two of four
  CHECK(failing(receipt) == "voters-8");
  // A block that changed nobody's vote is no step.
  receipt = whole;
  const MadeBlock& admission = grown().at(5);
  receipt.voters.insert(
      receipt.voters.begin(),
      {admission.block.sealed, admission.block.content.annex, grown().at(4).certificate});
  receipt.member_sets.push_back(admission.before);
  CHECK(failing(receipt) == "voters-5");
}

TEST_CASE("who has no voter's key cannot make himself one") {
  // A chain of the same genesis in which the forger's key is put in by a block of his own making.
  ReceiptChain forged(receipt_genesis());
  Member forger = forged.state.genesis.voters[1];
  forger.signing_key = signing_key(4)->public_key();
  const auto rekey = [&](std::vector<SignedBy> signatures) {
    forged.add({.events = {1},
                .orders = {order_of(UpdateMember{forger})},
                .signatures = std::move(signatures)});
  };
  rekey({{1, 4}, {2, 4}});
  forged.add({.events = {900}, .signatures = {{0, 0}, {1, 4}}});
  const ReceiptReport report =
      verify_receipt(forged.of_event(2, 0), {forged.state.genesis, nullptr, {}});
  REQUIRE(report.failed() != nullptr);
  CHECK(report.failed()->name == "voters-1");

  // Leaving that block out does not help: the set that the second block names has other voters.
  Receipt receipt = forged.of_event(2, 0);
  receipt.voters.clear();
  std::erase_if(receipt.member_sets, [&](const MembersRef& set) {
    return member_set_hash(*set) != receipt.block.header.member_set;
  });
  CHECK(verify_receipt(receipt, {forged.state.genesis, nullptr, {}}).failed()->name ==
        "certificate");
}

namespace {

// The voters that are in force at the end of the real chain, n2, n3 and n4, and others of a
// forger's making.
MemberSet with_others(std::vector<Member> others) {
  MemberSet set = *grown().at(11).after;
  std::erase_if(set.members, [](const Member& one) { return one.role != MemberRole::kVoter; });
  for (Member& member : others) set.members.push_back(std::move(member));
  std::ranges::sort(set.members, {}, &Member::slot);
  return set;
}

// Of the real block 9, signed by a made-up block 12 after a made-up change of voters in block 11.
// All is sound in it but what is asked for: the set before, the orders, the set after, and who
// signs both.
Receipt made_up(const MemberSet& before, const std::vector<MemberOrder>& orders,
                const MemberSet& after, const std::vector<SignedBy>& signers) {
  const auto sign = [&](const SealedHeader& sealed) {
    Certificate made;
    for (const SignedBy& one : signers)
      made.push_back({Slot{one.slot}, signing_key(one.key)->sign(
                                          certified_statement(sealed.header, block_id(sealed)))});
    return made;
  };
  Receipt receipt = grown().of_event(9, 0);
  VoterStep step{grown().at(11).block.sealed, {}, {}};
  for (const MemberOrder& order : orders) step.annex.push_back(order);
  step.sealed.header.annex_root = annex_root(step.annex);
  step.sealed.header.member_set = member_set_hash(before);
  step.certificate = sign(step.sealed);
  receipt.voters.push_back(step);

  NewerBlock end{grown().at(11).block.sealed, {}};
  end.path = history_path(Height{9}, 12, grown().history_reader()).value();
  const TemplateHeader& header = receipt.block.header;
  const HistoryNode leaf = history_leaf(block_id(receipt.block), block_work(header), header.time,
                                        receipt.block.seal.sealed_at);
  end.sealed.header.height = Height{12};
  end.sealed.header.history_root = history_root(climb_history(Height{9}, 12, leaf, end.path)->top);
  end.sealed.header.member_set = member_set_hash(after);
  receipt.certificate = sign(end.sealed);
  receipt.newer = std::move(end);

  for (const MemberSet* set : {&before, &after})
    receipt.member_sets.push_back(std::make_shared<const MemberSet>(*set));
  std::set<Hash> named{receipt.block.header.member_set, receipt.newer->sealed.header.member_set};
  for (const VoterStep& one : receipt.voters) named.insert(one.sealed.header.member_set);
  std::erase_if(receipt.member_sets,
                [&](const MembersRef& set) { return named.erase(member_set_hash(*set)) == 0; });
  return receipt;
}

}  // namespace

TEST_CASE("a minority of the voters cannot make itself a majority by members that it invents") {
  const MemberSet honest = with_others({});
  REQUIRE(count_voters(honest) == 3);
  const Member& victim = honest.members[2];
  const auto demote = order_of(SetRole{honest.members[0].node, MemberRole::kStandby});
  const auto remove = order_of(RemoveMember{victim.node});
  MemberSet demoted = honest;
  demoted.members[0].role = MemberRole::kStandby;
  demoted.voters_since = Height{11};
  MemberSet alone = demoted;
  alone.members.pop_back();

  // What a majority signs holds, so that nothing else is wrong with these receipts.
  CHECK(failing(made_up(honest, {demote}, demoted, {{2, 2}, {3, 3}})) == "");
  // The forger has the key of n3 alone.
  const std::vector<SignedBy> forger = {{2, 2}};
  CHECK(failing(made_up(honest, {demote}, demoted, forger)) == "voters-11");
  CHECK(failing(made_up(honest, {demote, remove}, alone, forger)) == "voters-11");
  // A member with a voter's id: who removes it would remove the voter, and is then alone.
  const auto invented = [&](const auto& change) {
    Member member = receipt_test::member(0, MemberRole::kStandby);
    member.name = "x";
    change(member);
    return with_others({member});
  };
  const std::vector<MemberSet> befores = {
      invented([&](Member& one) { one.node = victim.node; }),
      invented([&](Member& one) {
        std::copy_n(victim.node.octets.begin(), 8, one.node.octets.begin());
      }),
      invented([&](Member& one) { one.signing_key = victim.signing_key; }),
      invented([&](Member& one) { one.store = victim.store; }),
      invented([&](Member& one) { one.name = victim.name; }),
  };
  // A voter under whose key anybody signs; of others no signature counts.
  const auto identity = [](MemberRole role) {
    return [role](Member& one) {
      one.role = role;
      one.signing_key = PublicKey{};
      one.signing_key.octets[0] = 1;
    };
  };
  CHECK(failing(made_up(invented(identity(MemberRole::kStandby)), {demote}, demoted, forger)) ==
        "voters-11");
  CHECK(failing(made_up(invented(identity(MemberRole::kVoter)), {demote}, demoted, forger)) ==
        "member-sets");
  for (const MemberSet& before : befores)
    CHECK(failing(made_up(before, {demote, remove}, alone, forger)) == "member-sets");
  // An invitation that would let in a voter.
  MemberSet inviting = honest;
  inviting.invitations.push_back({named<Hash>("token"), MemberRole::kVoter, "x", "", {1LL << 50}});
  CHECK(failing(made_up(inviting, {demote}, demoted, forger)) == "member-sets");
  // One who has no voter.
  MemberSet nobody = honest;
  for (Member& member : nobody.members) member.role = MemberRole::kObserver;
  CHECK(failing(made_up(nobody, {demote}, demoted, forger)) == "member-sets");
}

TEST_CASE("a checkpoint from elsewhere is held against the receipt") {
  const Receipt whole = grown().of_event(5, 0);  // 11 entries
  CHECK(failing(whole, log_of(5)) == "");
  KnownLog known = log_of(5);
  known.root.octets[0] ^= 1;
  CHECK(failing(whole, known) == "checkpoint");
  CHECK(verify(whole, known).failed()->text.find("two histories") != std::string::npos);

  known = log_of(5);
  known.origin.back() = known.origin.back() == '0' ? '1' : '0';
  CHECK(failing(whole, known) == "checkpoint");

  // Another size, and no path: nothing is wrong, and nothing shown.
  for (const std::uint64_t height : {2U, 9U}) {
    const ReceiptReport report = verify(whole, log_of(height));
    REQUIRE(report.is_proved());
    CHECK(report.find("checkpoint")->state == StepState::kNotChecked);
    CHECK(has_sentence(report.not_proved, "everybody is shown this history"));
  }
  for (const std::uint64_t height : {2U, 9U}) {
    INFO("checkpoint as of block ", height);
    known = log_of(height);
    const std::uint64_t size = whole.block.header.log_size;
    const auto path = consistency_proof(std::min(size, known.size), std::max(size, known.size),
                                        grown().tree_reader());
    REQUIRE(path);
    Receipt receipt = whole;
    receipt.consistency = LogConsistency{known.size, *path};
    const ReceiptReport report = verify(receipt, known);
    CHECK(report.find("checkpoint")->state == StepState::kPassed);
    CHECK(has_sentence(report.proved, "one history"));
    // The reader's own path comes first.
    KnownLog with_path = known;
    with_path.path = *path;
    CHECK(failing(whole, with_path) == "");
    with_path.path->back().octets[0] ^= 1;
    CHECK(failing(receipt, with_path) == "checkpoint");
    receipt.consistency->path.front().octets[5] ^= 1;
    CHECK(failing(receipt, known) == "checkpoint");
    receipt.consistency = LogConsistency{known.size, *path};
    known.root.octets[31] ^= 0x80;
    CHECK(failing(receipt, known) == "checkpoint");
  }
}

TEST_CASE("work that cannot be computed here is told as not checked") {
  const ReceiptChain chain = receipt_chain(WorkFunction::kRandomXV1);
  const Receipt receipt = chain.of_event(2, 0);
  const ReceiptReport report = verify_receipt(receipt, {chain.state.genesis, nullptr, {}});
  REQUIRE(report.is_proved());
  CHECK(report.find("work")->state == StepState::kNotChecked);
  CHECK(has_sentence(report.not_proved, "work function"));
  const ReceiptReport with_digest =
      verify_receipt(receipt, {chain.state.genesis, &digest_of(WorkFunction::kRandomXV1), {}});
  CHECK(with_digest.find("work")->state == StepState::kPassed);
}

TEST_CASE("a chain without work says that it has none") {
  const ReceiptChain chain = receipt_chain(WorkFunction::kNone);
  const ReceiptReport report =
      verify_receipt(chain.of_event(2, 0), {chain.state.genesis, nullptr, {}});
  REQUIRE(report.is_proved());
  CHECK(has_sentence(report.proved, "rests on signatures alone"));
}

TEST_CASE("work that was not done does not pass, whoever signed it") {
  ReceiptChain chain(receipt_genesis());
  chain.add({.events = {1}, .signatures = {{0, 0}, {1, 1}}});
  Receipt receipt = chain.of_event(1, 0);
  const auto sign = [&receipt] {
    const Bytes statement = certified_statement(receipt.block.header, block_id(receipt.block));
    receipt.certificate = {{Slot{0}, signing_key(0)->sign(statement)},
                           {Slot{1}, signing_key(1)->sign(statement)}};
  };
  const auto outcome = [&] {
    sign();
    const ReceiptReport report = verify_receipt(receipt, {chain.state.genesis, nullptr, {}});
    return report.failed() == nullptr ? std::string() : report.failed()->name;
  };
  const Receipt good = receipt;
  CHECK(outcome() == "");
  while (share_meets(Sha256Digest(), receipt.block.header, receipt.block.seal.shares[0],
                     expand(receipt.block.header.share_target).value()))
    ++receipt.block.seal.shares[0].low;
  CHECK(outcome() == "work");
  receipt = good;
  std::swap(receipt.block.seal.shares[0], receipt.block.seal.shares[1]);
  CHECK(outcome() == "seal");
  receipt = good;
  receipt.block.seal.shares[1] = receipt.block.seal.shares[0];
  CHECK(outcome() == "seal");
  receipt = good;
  receipt.block.seal.shares.pop_back();
  CHECK(outcome() == "seal");
  receipt.block.header.share_count = 2;
  CHECK(outcome() == "seal");
  receipt = good;
  receipt.block.seal.shares.back().high |= std::uint64_t{1} << 63;  // no member's slot
  CHECK(outcome() == "seal");
  receipt = good;
  receipt.block.seal.sealed_at.value = receipt.block.header.time.value - 1;
  CHECK(outcome() == "seal");
  receipt = good;
  receipt.block.header.started.value = receipt.block.header.time.value + 1;
  CHECK(outcome() == "seal");
  receipt = good;
  receipt.block.header.share_target = compact(U256::max());  // easier than allowed
  CHECK(outcome() == "seal");
}

TEST_CASE("the path of an annex item leads from every place to the annex root") {
  std::vector<AnnexItem> annex;
  for (std::uint64_t count = 1; count <= 20; ++count) {
    const auto key = named<EventKey>("key " + std::to_string(count));
    annex.push_back(Rejection{key, named<Commitment>("c"), RejectionReason::kKeyTaken, {}});
    for (std::size_t i = 0; i < annex.size(); ++i) {
      INFO("item ", i, " of ", annex.size());
      const auto path = annex_path(annex, i);
      REQUIRE(climb_annex(annex[i], path) == annex_root(annex));
      for (std::size_t other = 0; other < annex.size(); ++other)
        if (other != i) REQUIRE(climb_annex(annex[other], path) != annex_root(annex));
    }
  }
}
