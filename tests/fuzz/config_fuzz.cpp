// Any octets as a configuration file: a configuration or an error that says something.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "node/config.h"
#include "node/genesis_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  using namespace eventchain;
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  const auto config = node::parse_config(text, "fuzz.toml", "/base", {}, {});
  if (!config && config.error().message.empty()) std::abort();
  const auto genesis = node::parse_genesis(text);
  if (genesis && node::parse_genesis(node::format_genesis(*genesis)) != *genesis) std::abort();
  if (!genesis && genesis.error().message.empty()) std::abort();
  return 0;
}
