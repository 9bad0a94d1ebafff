#include "tools/eventchain/receipt_collection.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "chain/event.h"
#include "chain/log_tree.h"
#include "node/api/receipt_json.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/progress.h"
#include "tools/eventchain/receipt_text.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

namespace {

// Of which event a receipt is, as far as it shows that.
std::optional<chain::EventKey> key_of(const chain::Receipt& receipt) {
  if (const auto* rejected = std::get_if<chain::ReceiptRejection>(&receipt.what))
    return rejected->rejection.key;
  if (!receipt.shown) return std::nullopt;
  const auto facts = chain::derive_facts(receipt.shown->salt, receipt.shown->body, shown_limits());
  if (!facts || facts->commitment != chain::commitment_of(receipt)) return std::nullopt;
  return facts->key;
}

// Where its path says that the event is in the log of the receipt's own block.
std::optional<std::uint64_t> position_of(const chain::Receipt& receipt) {
  const auto* entry = std::get_if<chain::ReceiptEntry>(&receipt.what);
  if (entry == nullptr) return std::nullopt;
  const chain::TemplateHeader& header = receipt.block.header;
  const bool leads_there =
      chain::verify_inclusion(entry->position.value, header.log_size,
                              chain::log_leaf(entry->commitment), entry->path, header.log_root);
  return leads_there ? std::optional(entry->position.value) : std::nullopt;
}

// What is wrong with a receipt as an answer about that event; empty: nothing.
std::string fault_of(const chain::Receipt& receipt, const chain::EventKey& key,
                     std::optional<std::uint64_t> position) {
  if (key_of(receipt) != key) return "is no receipt of that event";
  if (!position) return {};
  const auto proven = position_of(receipt);
  if (!proven) return fmt::format("does not lead to the log from position {}", *position);
  if (*proven != *position)
    return fmt::format("proves position {}, and was listed at {}", *proven, *position);
  return {};
}

}  // namespace

ReceiptCollection::ReceiptCollection(ReceiptSource& source, std::string out, bool is_one)
    : source_(source), out_(std::move(out)), is_one_(is_one) {
  if (!out_.empty() && !is_one_) value_or_stop(make_directory(out_));
}

std::filesystem::path ReceiptCollection::file_of(const chain::EventKey& key) const {
  return is_one_ ? std::filesystem::path(out_)
                 : std::filesystem::path(out_) / (to_hex(key) + ".json");
}

void ReceiptCollection::write(const chain::EventKey& key, const std::string& receipt) const {
  if (!out_.empty())
    return value_or_stop(replace_file(file_of(key), receipt + "\n", Secrecy::kPublic));
  std::cout << receipt << '\n';
  if (!std::cout.flush()) throw CommandFailed{Exit::kError, "cannot write the receipt"};
}

bool ReceiptCollection::has(const Wanted& wanted) const {
  if (out_.empty() || is_one_) return false;
  const auto text = read_file(file_of(wanted.key), node::api::kReceiptBytesMax);
  if (!text) return false;
  const auto receipt = node::api::parse_receipt(*text);
  return receipt && fault_of(*receipt, wanted.key, wanted.position).empty();
}

void ReceiptCollection::get(const std::vector<Wanted>& some) {
  std::vector<chain::EventKey> keys;
  for (const Wanted& wanted : some) keys.push_back(wanted.key);
  const auto answers = source_.receipts(keys);
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (!answers[i]) {
      fmt::print(stderr, "eventchain: {}: {}\n", to_hex(some[i].key), answers[i].error().message);
      ++missing_;
      continue;
    }
    // A node could answer every question with the same receipt, and each would hold.
    const chain::Receipt receipt = value_or_stop(node::api::parse_receipt(*answers[i]));
    const std::string fault = fault_of(receipt, some[i].key, some[i].position);
    if (!fault.empty())
      throw CommandFailed{Exit::kTampered,
                          fmt::format("the answer about {} {}; ask another node, and look at this "
                                      "one",
                                      to_hex(some[i].key), fault)};
    write(some[i].key, *answers[i]);
  }
}

void ReceiptCollection::get(const chain::EventKey& key) {
  get({Wanted{key}});
}

void ReceiptCollection::get_stream(const std::string& name) {
  std::uint64_t from = 0;
  std::set<chain::EventKey> seen;
  for (;;) {
    const auto listed = source_.stream(name, from);
    if (listed.empty()) break;
    std::vector<Wanted> some;
    for (const chain::EventKey& key : listed) {
      if (!seen.insert(key).second)
        throw CommandFailed{Exit::kError, "the node lists the event " + to_hex(key) + " twice"};
      some.push_back({key});
    }
    get(some);
    from += listed.size();
  }
  if (from == 0) throw CommandFailed{Exit::kError, "the stream '" + name + "' has no events"};
}

void ReceiptCollection::get_range(const Range& range) {
  constexpr std::size_t kAtOnce = 64;  // between two looks of the progress
  const std::uint64_t size = source_.log_size();
  const std::uint64_t first = range.first.value_or(0);
  const std::uint64_t end = range.last && *range.last < size ? *range.last + 1 : size;
  if (range.last && *range.last < first) throw CommandFailed{Exit::kUsage, "--to is below --from"};
  if (first >= size || (range.last && *range.last >= size))
    throw CommandFailed{Exit::kNotYet, fmt::format("the log has {} events, up to position {}", size,
                                                   static_cast<std::int64_t>(size) - 1)};
  Progress progress("getting receipts", "receipts", end - first);
  std::uint64_t kept = 0;
  for (std::uint64_t at = first; at < end;) {
    std::vector<chain::EventKey> page = source_.log(at);
    if (page.empty())
      throw CommandFailed{Exit::kError, fmt::format("nothing is at position {} any more", at)};
    page.resize(std::min<std::uint64_t>(page.size(), end - at));
    for (std::size_t begin = 0; begin < page.size(); begin += kAtOnce) {
      std::vector<Wanted> some;
      for (std::size_t i = begin; i < std::min(page.size(), begin + kAtOnce); ++i) {
        const Wanted wanted{page[i], at + i};
        if (has(wanted))
          ++kept;
        else
          some.push_back(wanted);
      }
      if (!some.empty()) get(some);
      progress.update(at + std::min(page.size(), begin + kAtOnce) - first);
    }
    at += page.size();
  }
  progress.finish();
  if (kept > 0) fmt::print(stderr, "{} were there already, and were left as they are\n", kept);
}

}  // namespace eventchain::tools
