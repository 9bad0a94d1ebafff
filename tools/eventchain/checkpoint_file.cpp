#include "tools/eventchain/checkpoint_file.h"

#include <fmt/format.h>

#include "tools/eventchain/files.h"

namespace eventchain::tools {

chain::Result<chain::KnownLog> read_checkpoint_file(const std::filesystem::path& file) {
  const auto text = read_file(file, chain::kNoteBytesMax);
  if (!text) return tl::unexpected<chain::Error>(text.error());
  auto known = chain::parse_checkpoint(*text);
  if (!known)
    return chain::fail(known.error().code,
                       fmt::format("{} (in {})", known.error().message, file.string()));
  return known;
}

}  // namespace eventchain::tools
