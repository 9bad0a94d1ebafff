#include "tools/eventchain/chain_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/api/json_text.h"
#include "node/genesis_json.h"
#include "store/sqlite/chain_scan.h"
#include "store/sqlite/light_scan.h"
#include "tools/eventchain/json_text.h"

namespace eventchain::tools {

namespace json = boost::json;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

std::optional<chain::CompactTarget> parse_target(const std::string& text) {
  const auto octets = chain::from_hex(text);
  if (!octets || octets->size() != 4) return std::nullopt;
  chain::CompactTarget target;
  for (const char octet : *octets)
    target.bits = (target.bits << 8) | static_cast<std::uint8_t>(octet);
  return target;
}

double seconds_from(chain::UnixMillis from, chain::UnixMillis to) {
  return std::max(0.0, static_cast<double>(to.value) - static_cast<double>(from.value)) / 1000;
}

}  // namespace

Result<WorkTerms> read_work_terms(const json::value& genesis) {
  WorkTerms terms;
  terms.chain = text_of(genesis, "name");
  terms.work_function = text_of(genesis, "work_function");
  const std::uint64_t count = number_of(genesis, "share_count");
  const auto easiest = parse_target(text_of(genesis, "easiest_target"));
  const auto target = easiest ? chain::expand(*easiest) : Result<chain::U256>(chain::U256());
  if (terms.work_function.empty() || count == 0 || count > 0xffff || !easiest || !target)
    return fail(ErrorCode::kMalformed,
                "the genesis file does not say what work is: work_function, share_count or "
                "easiest_target is missing or wrong");
  terms.share_count = static_cast<std::uint16_t>(count);
  terms.easiest_each = chain::expected_hashes(*target);
  return terms;
}

std::uint64_t WorkCount::begin_with(std::uint64_t since, std::uint64_t tip) {
  const std::uint64_t recent = tip > kRecentBlocks ? tip - kRecentBlocks : 1;
  return std::max<std::uint64_t>(1, std::min(since, recent));
}

void WorkCount::add(const chain::SealedHeader& block) {
  const chain::TemplateHeader& header = block.header;
  if (header.height.value == 0) return;
  made_.tip = header.height.value;
  made_.sealed = block.seal.sealed_at;
  recent_.push_back(
      {chain::mining_facts(block), header.share_count, header.started, block.seal.sealed_at});
  // One more than counts: its seal is where the first that counts begins.
  if (recent_.size() > kRecentBlocks + 1) recent_.pop_front();
  if (header.height.value < since_) return;
  if (made_.blocks++ == 0) {
    made_.since = header.height.value;
    made_.begun = header.started;
  }
  made_.hashes = chain::saturating_add(made_.hashes, chain::block_work(header));
  made_.at_floor = chain::saturating_add(
      made_.at_floor,
      chain::saturating_mul(chain::U256(header.share_count), made_.terms.easiest_each));
}

Result<ChainWork> WorkCount::finish() {
  if (made_.blocks == 0)
    return fail(ErrorCode::kNotFound,
                fmt::format("the chain has no block at height {} or above; its tip is {}", since_,
                            made_.tip));
  // Before the first block of all lies genesis, whose time says nothing of mining.
  const bool has_before = recent_.size() > kRecentBlocks;
  const chain::UnixMillis from = has_before ? recent_.front().sealed_at : recent_.front().started;
  if (has_before) recent_.pop_front();
  for (const Recent& one : recent_) made_.recent.add(one.facts, one.shares);
  made_.recent_seconds = seconds_from(from, made_.sealed);
  return std::move(made_);
}

Result<chain::SealedHeader> read_work_header(const json::value& header) {
  constexpr std::uint64_t kNone = ~std::uint64_t{0};
  chain::SealedHeader block;
  const std::uint64_t height = number_of(header, "height", kNone);
  const std::uint64_t count = number_of(header, "share_count", kNone);
  const auto target = parse_target(text_of(header, "share_target"));
  const auto started = node::api::parse_rfc3339(text_of(header, "started"));
  const auto time = node::api::parse_rfc3339(text_of(header, "time"));
  const auto sealed = node::api::parse_rfc3339(text_of(header, "sealed_at"));
  if (height == kNone || count > 0xffff || !target || !started || !time || !sealed)
    return fail(ErrorCode::kMalformed,
                "the answer has a header that is not one: height " + text_of(header, "height"));
  block.header.height = chain::Height{height};
  block.header.share_count = static_cast<std::uint16_t>(count);
  block.header.share_target = *target;
  block.header.started = *started;
  block.header.time = *time;
  block.seal.sealed_at = *sealed;
  // Genesis alone has no target; any other block's must say what its shares took.
  if (const auto known = chain::expand(*target); height > 0 && !known)
    return tl::unexpected<chain::Error>(known.error());
  return block;
}

Result<ChainWork> count_stored_work(const std::string& database, const std::string& genesis_file,
                                    std::uint64_t since) {
  const auto genesis = node::load_genesis(genesis_file);
  if (!genesis) return tl::unexpected<chain::Error>(genesis.error());
  const auto text = parse_json(node::format_genesis(*genesis), "the genesis file");
  if (!text) return tl::unexpected<chain::Error>(text.error());
  auto terms = read_work_terms(*text);
  if (!terms) return tl::unexpected<chain::Error>(terms.error());
  WorkCount count(std::move(*terms), since);
  std::optional<chain::Error> damage;
  const auto visit = [&](chain::ByteView encoded) {
    const auto sealed = chain::decode_sealed_header(encoded);
    if (sealed) return count.add(*sealed);
    if (!damage) damage = sealed.error();
  };
  Result<void> read;
  if (store::is_light_database(database)) {
    const auto scan = store::open_light_scan(database, *genesis);
    if (!scan) return tl::unexpected<chain::Error>(scan.error());
    read = (*scan)->blocks([&](const store::LightScan::BlockRow& row) { visit(row.sealed); });
  } else {
    const auto scan = store::open_scan(database, *genesis);
    if (!scan) return tl::unexpected<chain::Error>(scan.error());
    const auto extent = (*scan)->blocks_by_now();
    if (!extent) return tl::unexpected<chain::Error>(extent.error());
    read =
        (*scan)->blocks(*extent, [&](const store::ChainScan::BlockRow& row) { visit(row.sealed); });
  }
  if (!read) return tl::unexpected<chain::Error>(read.error());
  if (damage)
    return fail(ErrorCode::kCorrupt, damage->message + "; `eventchain chain verify` names it all");
  return count.finish();
}

}  // namespace eventchain::tools
