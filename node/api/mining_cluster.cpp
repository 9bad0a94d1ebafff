#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "chain/hash_rates.h"
#include "node/api/handlers.h"
#include "node/api/rate_estimate.h"

// Who mines how much, by the shares in the seals of the newest blocks. Any node tells it, and every
// node tells the same but for the shares that it has seen come by.
namespace eventchain::node::api {

namespace {

constexpr std::size_t kBlocksMax = 1000;

struct Window {
  chain::HashRates rates;
  chain::MembersRef members;  // in force next
  chain::SealedHeader first;
  chain::SealedHeader tip;
  std::uint64_t eased = 0;  // blocks
};

bool is_eased(const chain::Genesis& genesis, const chain::TemplateHeader& header) {
  return chain::easing_steps(genesis, header.started, header.time) > 0;
}

// The newest blocks but genesis, which nobody mined.
chain::Result<std::vector<chain::SealedHeader>> newest(store::ChainReader& reader,
                                                       std::size_t blocks) {
  const std::uint64_t tip = reader.tip().height.value;
  std::uint64_t next = tip - std::min<std::uint64_t>(blocks, tip) + 1;
  std::vector<chain::SealedHeader> headers;
  while (next <= tip) {
    const auto page = reader.headers(chain::Height{next}, tip - next + 1);
    if (!page) return tl::unexpected<chain::Error>(page.error());
    if (page->empty()) break;
    headers.insert(headers.end(), page->begin(), page->end());
    next += page->size();
  }
  return headers;
}

chain::Result<Window> read_window(const Context& context, std::size_t blocks) {
  store::ChainReader& reader = context.reader;
  const auto headers = newest(reader, blocks);
  if (!headers) return tl::unexpected<chain::Error>(headers.error());
  Window window;
  std::optional<chain::Hash> named;  // the set in hand
  chain::MembersRef members;
  for (const chain::SealedHeader& block : *headers) {
    if (named != block.header.member_set) {
      auto set = reader.members(block.header.height);
      if (!set) return tl::unexpected<chain::Error>(set.error());
      members = std::move(*set);
      named = block.header.member_set;
    }
    window.rates.add(block, *members);
    if (is_eased(context.options.genesis, block.header)) ++window.eased;
  }
  window.tip = headers->empty() ? reader.tip().sealed : headers->back();
  window.first = headers->empty() ? window.tip : headers->front();
  auto next = reader.members(window.tip.header.height.next());
  if (!next) return tl::unexpected<chain::Error>(next.error());
  window.members = std::move(*next);
  return window;
}

// Hashes as a decimal number: they may pass what a double holds exactly, and 2^64.
JsonText& hashes(JsonText& out, const char* name, double value) {
  return out.text(name, fmt::format("{:.0f}", value));
}

void append_rate(JsonText& out, const std::optional<RateEstimate>& rate) {
  if (!rate) return;
  out.key("rate").open_object();
  out.key("per_second").real(rate->per_second);
  out.key("low").real(rate->low);
  out.key("high").real(rate->high);
  out.close_object();
}

void append_sum(JsonText& out, const chain::ShareSum& sum) {
  out.big("blocks", sum.blocks).big("shares", sum.shares);
  hashes(out, "hashes", sum.hashes).key("mining_seconds").real(sum.seconds);
  append_rate(out, estimate_rate(sum));
}

// Part of the window's work; 0 where there was none.
double part_of(const chain::ShareSum& sum, const chain::ShareSum& total) {
  return total.hashes > 0 ? sum.hashes / total.hashes : 0;
}

void append_member(JsonText& out, const Window& window, const chain::Member& member,
                   chain::UnixMillis now) {
  const auto found = window.rates.members().find(member.node);
  const chain::HashRates::Of of =
      found == window.rates.members().end() ? chain::HashRates::Of{} : found->second;
  out.open_object()
      .text("node", to_hex(member.node))
      .text("name", member.name)
      .number("slot", member.slot.value)
      .text("role", chain::to_string(member.role));
  append_sum(out, of.sum);
  out.key("part").real(part_of(of.sum, window.rates.total()));
  if (of.last_height) {
    out.key("last_share").open_object().big("height", of.last_height->value);
    out.text("sealed_at", rfc3339(of.last_sealed_at))
        .number("age_ms", std::max<std::int64_t>(0, now.value - of.last_sealed_at.value))
        .close_object();
  }
  out.close_object();
}

void append_members(JsonText& out, const Window& window, chain::UnixMillis now) {
  out.key("members").open_array();
  chain::ShareSum present;
  for (const chain::Member& member : window.members->members) {
    append_member(out, window, member, now);
    const auto found = window.rates.members().find(member.node);
    if (found == window.rates.members().end()) continue;
    present.shares += found->second.sum.shares;
    present.hashes += found->second.sum.hashes;
  }
  out.close_array();
  const chain::ShareSum& total = window.rates.total();
  out.key("former").open_object().big("shares", total.shares - present.shares);
  out.key("part").real(total.hashes > 0 ? std::max(0.0, 1 - part_of(present, total)) : 0);
  out.close_object();
}

// The block in work, or the one that is next while nothing is.
void append_next(JsonText& out, const Context& context, const Window& window,
                 const NodeStatus& status) {
  const chain::Genesis& genesis = context.options.genesis;
  const chain::U256 unworked = chain::next_target(genesis, window.tip);
  chain::U256 target = unworked;
  std::uint64_t missing = genesis.share_count;
  out.key("next").open_object().boolean("in_work", status.in_work.has_value());
  if (status.in_work) {
    const chain::TemplateHeader& header = *status.in_work;
    if (const auto worked = chain::expand(header.share_target)) target = *worked;
    missing = header.share_count - std::min<std::uint64_t>(status.shares_found, header.share_count);
    out.big("height", header.height.value)
        .number("shares_found", status.shares_found)
        .number("shares_needed", header.share_count)
        .number("easing_steps", chain::easing_steps(genesis, header.started, header.time))
        .text("started", rfc3339(header.started));
  } else {
    out.big("height", window.tip.header.height.value + 1)
        .number("shares_found", 0)
        .number("shares_needed", genesis.share_count)
        .number("easing_steps", 0);
  }
  out.text("share_target", fmt::format("{:08x}", chain::compact(target).bits))
      .text("hashes_per_share", chain::expected_hashes(target).to_decimal());
  if (const auto rate = estimate_rate(window.rates.total()); rate && rate->low > 0) {
    out.key("expected_seconds").real(chain::expected_seconds(target, missing, rate->per_second));
    out.key("expected_seconds_low").real(chain::expected_seconds(target, missing, rate->high));
    out.key("expected_seconds_high").real(chain::expected_seconds(target, missing, rate->low));
  }
  out.close_object();
}

void append_counts(JsonText& out, const char* name, const ShareCounts& counts) {
  out.key(name)
      .open_object()
      .big("accepted", counts.accepted)
      .big("duplicate", counts.duplicate)
      .big("surplus", counts.surplus)
      .big("stale", counts.stale)
      .big("refused", counts.refused)
      .close_object();
}

// Duplicates cost nobody a hash: they are one share that came twice.
void append_seen(JsonText& out, const NodeStatus::Counters& counters) {
  const ShareCounts& own = counters.own_shares;
  const ShareCounts& peers = counters.peer_shares;
  const std::uint64_t accepted = own.accepted + peers.accepted;
  const std::uint64_t late = own.stale + peers.stale + own.surplus + peers.surplus;
  out.key("seen").open_object();
  append_counts(out, "own", own);
  append_counts(out, "peers", peers);
  out.big("lost", counters.shares_lost);
  if (const std::uint64_t all = accepted + late; all > 0) {
    const auto of_all = [all](std::uint64_t count) {
      return static_cast<double>(count) / static_cast<double>(all);
    };
    out.key("stale_part").real(of_all(own.stale + peers.stale));
    out.key("useful_part").real(of_all(accepted - std::min(accepted, counters.shares_lost)));
  }
  out.close_object();
}

void answer_cluster(const CallPtr& call, std::size_t blocks, const NodeStatus& status) {
  const Context& context = *call->context;
  const auto window = read_window(context, blocks);
  if (!window) return call->answer(problem_response(window.error()));
  JsonText document;
  document.open_object().key("window").open_object();
  document.big("from", window->first.header.height.value)
      .big("to", window->tip.header.height.value)
      .big("eased_blocks", window->eased);
  append_sum(document, window->rates.total());
  document.close_object().key("confidence").real(0.95);
  append_members(document, *window, wall_now(context));
  document.number("interval_ms", context.options.genesis.interval_ms);
  append_next(document, context, *window, status);
  append_seen(document, status.counters);
  document.close_object();
  call->answer_json(200, std::move(document));
}

}  // namespace

void get_mining_cluster(const CallPtr& call) {
  std::size_t blocks = kRecentBlocks;
  if (const auto given = call->parameter("blocks")) {
    const auto number = parse_number(*given);
    if (!number || *number < 1 || *number > kBlocksMax)
      return call->answer(Problem::kMalformedRequest, "blocks is a number from 1 to 1000");
    blocks = *number;
  }
  call->context->port.ask_status([call, blocks](const NodeStatus& status) {
    call->later([call, blocks, status] { answer_cluster(call, blocks, status); });
  });
}

}  // namespace eventchain::node::api
