#include "tools/eventchain/key_files.h"

#include "tools/eventchain/certificate.h"
#include "tools/eventchain/files.h"

namespace eventchain::tools {

using chain::Result;

Result<Key> load_key(const std::filesystem::path& path) {
  constexpr std::size_t kFileBytesMax = 64 * 1024;
  const Result<std::string> pem = read_file(path, kFileBytesMax);
  if (!pem) return tl::unexpected(pem.error());
  return key_from_pem(*pem, path.string());
}

Result<Key> key_at(const std::filesystem::path& path, Result<Key> (*make)()) {
  if (std::filesystem::exists(path)) return load_key(path);
  Result<Key> key = make();
  if (!key) return key;
  const Result<std::string> pem = key_to_pem(key->get());
  if (!pem) return tl::unexpected(pem.error());
  if (auto written = write_new_file(path, *pem, Secrecy::kSecret); !written)
    return tl::unexpected(written.error());
  return key;
}

}  // namespace eventchain::tools
