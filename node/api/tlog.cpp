#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "chain/log_tree.h"
#include "chain/note.h"
#include "node/api/final_checkpoint.h"
#include "node/api/handlers.h"

// The log as others' tools read it (C2SP tlog-checkpoint and tlog-tiles): the newest final head as
// a signed note, the tree's hashes and the entries in tiles of 256. Tiles never change.
namespace eventchain::node::api {

namespace {

constexpr unsigned kTileWidth = 256;
constexpr unsigned kTileLevels = 8;  // of the tree, in one level of tiles

struct Tile {
  std::uint64_t number = 0;
  unsigned width = kTileWidth;
};

// x001/x234/067: three digits each, an x before all but the last.
std::string number_path(std::uint64_t number) {
  std::string path = fmt::format("{:03}", number % 1000);
  while ((number /= 1000) > 0) path = fmt::format("x{:03}/", number % 1000) + path;
  return path;
}

// The number, and the width of a tile that is not full; one spelling each.
std::optional<Tile> parse_tile(std::string_view path) {
  constexpr std::string_view kPartial = ".p/";
  constexpr std::size_t kPathMax = 40;
  Tile tile;
  if (const std::size_t at = path.find(kPartial); at != std::string_view::npos) {
    const auto width = parse_number(path.substr(at + kPartial.size()));
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    tile.width = static_cast<unsigned>(*width);
    path = path.substr(0, at);
  }
  if (path.size() > kPathMax) return std::nullopt;
  std::string digits;
  std::copy_if(path.begin(), path.end(), std::back_inserter(digits),
               [](char letter) { return letter >= '0' && letter <= '9'; });
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const auto number = parse_number(digits);
  if (!number || *number > UINT64_MAX / kTileWidth - 1 || number_path(*number) != path)
    return std::nullopt;
  tile.number = *number;
  return tile;
}

// Refused: the call is answered.
std::optional<Tile> requested_tile(const Call& call, std::string_view path, unsigned level) {
  const auto tile = parse_tile(path);
  if (!tile) {
    call.answer(Problem::kMalformedRequest,
                "a tile's number is written as in /tile/0/x001/234, with /tile/0/x001/234.p/17 for "
                "the first 17 hashes");
    return std::nullopt;
  }
  const std::uint64_t size = call.context->reader.tip().log_size;
  const unsigned below = level * kTileLevels;
  const std::uint64_t hashes = below < 64 ? size >> below : 0;
  if (tile->number * kTileWidth + tile->width > hashes) {
    call.answer(Problem::kNotFound,
                fmt::format("the log has {} entries here, which is less than this tile covers; "
                            "ask for part of it, with .p/ and a width, or later",
                            size));
    return std::nullopt;
  }
  return tile;
}

// Partial tiles do not change either, but nothing vouches for their hashes here, and damage must
// not stay in caches.
void answer_tile(const Call& call, const Tile& tile, std::string octets) {
  net::http::Response response;
  response.content_type = "application/octet-stream";
  response.headers.push_back({"Cache-Control", tile.width == kTileWidth
                                                   ? "public, max-age=31536000, immutable"
                                                   : "public, max-age=60"});
  response.body = std::move(octets);
  call.answer(std::move(response));
}

// Each block is found by the position that is wanted next: there may be many without an entry
// between.
chain::Result<std::vector<chain::Commitment>> commitments(store::ChainReader& reader,
                                                          std::uint64_t first, std::size_t count) {
  std::vector<chain::Commitment> found;
  while (found.size() < count) {
    const std::uint64_t wanted = first + found.size();
    const auto placed = reader.log(chain::Position{wanted}, 1);
    if (!placed) return tl::unexpected<chain::Error>(placed.error());
    if (placed->empty()) return chain::fail(chain::ErrorCode::kNotFound, "the log ends before");
    const auto stored = reader.block(placed->front().height);
    if (!stored) return tl::unexpected<chain::Error>(stored.error());
    const auto& entries = stored->block.content.entries;
    const std::uint64_t skipped = wanted - stored->first_position;
    if (wanted < stored->first_position || skipped >= entries.size())
      return chain::fail(chain::ErrorCode::kCorrupt,
                         fmt::format("the entry at position {} is not in its block; verify this "
                                     "node's database",
                                     wanted));
    for (std::uint64_t at = skipped; at < entries.size() && found.size() < count; ++at)
      found.push_back(entries[at].commitment);
  }
  return found;
}

// The hashes of a tile, of a level of the tree. A full one is held against the hash above it, which
// is stored with other hashes.
chain::Result<std::vector<chain::Hash>> hashes_of(store::ChainReader& reader, std::uint8_t level,
                                                  const Tile& tile) {
  std::vector<chain::Hash> hashes;
  for (unsigned i = 0; i < tile.width; ++i) {
    const auto hash = reader.tree_hash(level, tile.number * kTileWidth + i);
    if (!hash) return tl::unexpected<chain::Error>(hash.error());
    hashes.push_back(*hash);
  }
  if (tile.width < kTileWidth) return hashes;
  const auto above = reader.tree_hash(static_cast<std::uint8_t>(level + kTileLevels), tile.number);
  if (!above) return tl::unexpected<chain::Error>(above.error());
  std::vector<chain::Hash> row = hashes;
  for (; row.size() > 1; row.resize(row.size() / 2))
    for (std::size_t i = 0; i < row.size() / 2; ++i)
      row[i] = chain::tree_node(row[2 * i], row[2 * i + 1]);
  if (row.front() != *above)
    return chain::fail(chain::ErrorCode::kCorrupt,
                       "the tile does not hash to what is stored above it; ask another node, and "
                       "verify this one's database");
  return hashes;
}

}  // namespace

namespace {

net::http::Response note_response(std::string note) {
  net::http::Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.headers.push_back({"Cache-Control", "no-store"});
  response.body = std::move(note);
  return response;
}

}  // namespace

void get_checkpoint(const CallPtr& call) {
  Context& context = *call->context;
  auto checkpoint = final_checkpoint(context.reader, context.port.certified());
  if (!checkpoint) return call->answer(problem_response(checkpoint.error()));
  if (!*checkpoint)
    return call->answer(Problem::kNotFound, "no block is final yet; ask again after the first one");
  chain::SignedNote& note = (*checkpoint)->note;
  if (const Witnesses* witnesses = context.options.witnesses)
    for (chain::NoteSignature& one : witnesses->cosignatures_on(note.text))
      note.signatures.push_back(std::move(one));
  call->answer(note_response(chain::encode_note(note)));
}

void get_witnessed_checkpoint(const CallPtr& call) {
  const Witnesses* witnesses = call->context->options.witnesses;
  if (witnesses == nullptr)
    return call->answer(Problem::kNotFound,
                        "this node asks no witnesses; another one may, or see node/WITNESS.md");
  auto note = witnesses->witnessed_note();
  if (!note)
    return call->answer(Problem::kNotFound,
                        "no checkpoint has enough cosignatures yet; /v1/cluster says of each "
                        "witness why");
  call->answer(note_response(std::move(*note)));
}

void get_tile(const CallPtr& call) {
  const auto level = parse_number(call->path[0]);
  if (!level || *level > 63)
    return call->answer(Problem::kMalformedRequest, "a tile's level is a number from 0 to 63");
  const auto tile = requested_tile(*call, call->path[1], static_cast<unsigned>(*level));
  if (!tile) return;
  const auto hashes =
      hashes_of(call->context->reader, static_cast<std::uint8_t>(*level * kTileLevels), *tile);
  if (!hashes) return call->answer(problem_response(hashes.error()));
  std::string octets;
  octets.reserve(tile->width * chain::Hash::kSize);
  for (const chain::Hash& hash : *hashes) octets.append(hash.view());
  answer_tile(*call, *tile, std::move(octets));
}

void get_tile_entries(const CallPtr& call) {
  const auto tile = requested_tile(*call, call->path[0], 0);
  if (!tile) return;
  const auto found = commitments(call->context->reader, tile->number * kTileWidth, tile->width);
  if (!found) return call->answer(problem_response(found.error()));
  std::string octets;
  for (const chain::Commitment& commitment : *found) {
    const chain::Bytes entry = chain::log_entry(commitment);
    octets.push_back(static_cast<char>(entry.size() >> 8));
    octets.push_back(static_cast<char>(entry.size() & 0xff));
    octets.append(entry);
  }
  answer_tile(*call, *tile, std::move(octets));
}

}  // namespace eventchain::node::api
