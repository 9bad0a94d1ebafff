#include "chain/contradiction.h"

#include <fmt/format.h>

namespace eventchain::chain {

HistoryPoint point_of(const SealedHeader& sealed) {
  const TemplateHeader& header = sealed.header;
  return {HistoryPoint::Block{header.height, block_id(sealed)}, header.log_size, header.log_root};
}

const char* to_string(Contradiction kind) {
  switch (kind) {
    case Contradiction::kOtherBlock:
      return "other-block";
    case Contradiction::kOtherLog:
      return "other-log";
    case Contradiction::kShorterLog:
      return "shorter-log";
  }
  return "unknown";
}

std::optional<Contradiction> contradiction(const HistoryPoint& a, const HistoryPoint& b) {
  const bool have_blocks = a.block && b.block;
  if (have_blocks && a.block->height == b.block->height && a.block->id != b.block->id)
    return Contradiction::kOtherBlock;
  if (a.log_size == b.log_size && a.log_root != b.log_root) return Contradiction::kOtherLog;
  if (have_blocks && ((a.block->height < b.block->height && a.log_size > b.log_size) ||
                      (b.block->height < a.block->height && b.log_size > a.log_size)))
    return Contradiction::kShorterLog;
  return std::nullopt;
}

std::string describe(Contradiction kind, const HistoryPoint& a, const HistoryPoint& b) {
  switch (kind) {
    case Contradiction::kOtherBlock:
      return fmt::format("at height {} the one has the block {}, the other {}",
                         a.block->height.value, to_hex(a.block->id), to_hex(b.block->id));
    case Contradiction::kOtherLog:
      return fmt::format("of {} entries the one has a log with the root {}, the other with {}",
                         a.log_size, to_hex(a.log_root), to_hex(b.log_root));
    case Contradiction::kShorterLog:
      return fmt::format(
          "block {} of the one has {} entries below it, block {} of the other {}: "
          "a log only grows",
          a.block->height.value, a.log_size, b.block->height.value, b.log_size);
  }
  return {};
}

}  // namespace eventchain::chain
