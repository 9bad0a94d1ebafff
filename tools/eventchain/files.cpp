#include "tools/eventchain/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace eventchain::tools {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

tl::unexpected<chain::Error> system_failure(const std::filesystem::path& path, const char* what) {
  return fail(ErrorCode::kIo, fmt::format("{} {}: {}", what, path.string(), std::strerror(errno)));
}

Result<void> write_descriptor(int descriptor, const std::filesystem::path& path,
                              std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure(path, "cannot write");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// Always a file of its own: one that is there already, or a link that somebody put there, would
// lend its permissions and its place to a secret.
Result<void> create(const std::filesystem::path& path, std::string_view content, Secrecy secrecy) {
  const mode_t mode = secrecy == Secrecy::kSecret ? 0600 : 0644;
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (descriptor < 0) return system_failure(path, "cannot create");
  Result<void> written = write_descriptor(descriptor, path, content);
  if (::close(descriptor) != 0 && written) written = system_failure(path, "cannot close");
  return written;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return system_failure(path, "cannot read");
  // In pieces: most files are far smaller than they may be.
  std::string content;
  std::array<char, 64 * 1024> piece;
  while (content.size() <= bytes_max && (in.read(piece.data(), piece.size()), in.gcount() > 0))
    content.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return system_failure(path, "cannot read");
  if (content.size() > bytes_max)
    return fail(ErrorCode::kTooLarge,
                fmt::format("{} is larger than {} octets; is it the right file?", path.string(),
                            bytes_max));
  return content;
}

Result<void> make_directory(const std::filesystem::path& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error)
    return fail(ErrorCode::kIo, fmt::format("cannot create {}: {}", dir.string(), error.message()));
  return {};
}

Result<void> write_new_file(const std::filesystem::path& path, std::string_view content,
                            Secrecy secrecy) {
  return create(path, content, secrecy);
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view content,
                          Secrecy secrecy) {
  const std::filesystem::path beside = path.string() + ".new";
  // What a run that was killed has left, or a link: the name goes, not what it leads to.
  if (::unlink(beside.c_str()) != 0 && errno != ENOENT)
    return system_failure(beside, "cannot remove what an earlier run left");
  if (auto written = create(beside, content, secrecy); !written) return written;
  if (::rename(beside.c_str(), path.c_str()) != 0) return system_failure(path, "cannot replace");
  return {};
}

Result<void> give_to_owner_of(const std::filesystem::path& directory,
                              const std::filesystem::path& file) {
  if (::geteuid() != 0) return {};
  struct stat owner {};
  if (::stat(directory.c_str(), &owner) != 0) return system_failure(directory, "cannot look at");
  // Not by way of a link that the owner of the directory may have put there.
  if (::lchown(file.c_str(), owner.st_uid, owner.st_gid) != 0)
    return system_failure(file, "cannot give away");
  return {};
}

}  // namespace eventchain::tools
