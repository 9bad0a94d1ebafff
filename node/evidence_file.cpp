#include "node/evidence_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <string_view>

namespace eventchain::node {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using chain::ErrorCode;
using chain::Result;

json::array signatures_json(const chain::Certificate& certificate) {
  json::array signatures;
  for (const chain::SlotSignature& one : certificate)
    signatures.push_back(
        json::object{{"slot", one.slot.value}, {"signature", to_hex(one.signature)}});
  return signatures;
}

json::object header_json(const chain::SealedHeader& sealed) {
  return {{"height", std::to_string(sealed.header.height.value)},
          {"id", to_hex(chain::block_id(sealed))},
          {"sealed", chain::to_hex(chain::encode_sealed_header(sealed))}};
}

tl::unexpected<chain::Error> system_failure(const char* what, const fs::path& path) {
  return chain::fail(ErrorCode::kIo,
                     fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

// The name is given when the content is on the disk: a crash leaves no half evidence.
Result<void> write_new(const fs::path& file, std::string_view text) {
  const fs::path unfinished = file.string() + ".new";
  // What an earlier run left goes; a link there is not followed.
  if (::unlink(unfinished.c_str()) != 0 && errno != ENOENT)
    return system_failure("remove", unfinished);
  const int descriptor =
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (descriptor < 0) return system_failure("create", unfinished);
  bool is_written = true;
  while (is_written && !text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    is_written = count > 0 || (count < 0 && errno == EINTR);
  }
  is_written = is_written && ::fsync(descriptor) == 0;
  if (::close(descriptor) != 0 || !is_written) return system_failure("write", unfinished);
  if (::rename(unfinished.c_str(), file.c_str()) != 0) return system_failure("name", file);
  const int directory = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return system_failure("open", file.parent_path());
  const bool is_synced = ::fsync(directory) == 0;
  if (::close(directory) != 0 || !is_synced) return system_failure("sync", file.parent_path());
  return {};
}

}  // namespace

std::string evidence_text(const Evidence& evidence) {
  json::array others;
  for (const chain::SealedHeader& sealed : evidence.others) others.push_back(header_json(sealed));
  const json::object file{
      {"evidence", "two certified histories"},
      {"chain", to_hex(evidence.own.header.chain)},
      {"members", chain::to_hex(chain::encode_member_set(*evidence.members))},
      {"own", json::object{{"block", header_json(evidence.own)},
                           {"signatures", signatures_json(evidence.own_signatures)}}},
      {"other", json::object{{"blocks", std::move(others)},
                             {"signatures", signatures_json(evidence.others_signatures)}}}};
  return json::serialize(file) + "\n";
}

Result<fs::path> keep_text(const fs::path& directory, const std::string& name,
                           std::string_view text) {
  std::error_code error;
  fs::create_directory(directory, error);
  if (error)
    return chain::fail(ErrorCode::kIo,
                       fmt::format("cannot make {}: {}", directory.string(), error.message()));
  fs::path file = directory / name;
  if (fs::exists(file, error)) return file;
  const fs::directory_iterator entries(directory, error);
  if (error ||
      std::distance(begin(entries), end(entries)) >= static_cast<std::ptrdiff_t>(kEvidenceFilesMax))
    return chain::fail(ErrorCode::kUnavailable,
                       fmt::format("{} holds {} files already, and no more are kept",
                                   directory.string(), kEvidenceFilesMax));
  const auto written = write_new(file, text);
  if (!written) return tl::unexpected<chain::Error>(written.error());
  return file;
}

Result<fs::path> keep_evidence(const fs::path& directory, const Evidence& evidence) {
  const auto start_of = [](const chain::SealedHeader& sealed) {
    return to_hex(chain::block_id(sealed)).substr(0, 16);
  };
  return keep_text(directory,
                   fmt::format("fork-{}-{}-{}.json", evidence.own.header.height.value,
                               start_of(evidence.own), start_of(evidence.others.back())),
                   evidence_text(evidence));
}

std::size_t count_evidence(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::directory_iterator file(directory, error);
  std::size_t count = 0;
  for (; !error && file != std::filesystem::directory_iterator(); file.increment(error)) ++count;
  return count;
}

}  // namespace eventchain::node
