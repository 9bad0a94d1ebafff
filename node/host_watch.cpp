#include "node/host_watch.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "net/asio/certificate_file.h"
#include "node/evidence_file.h"

namespace eventchain::node {

namespace fs = std::filesystem;

namespace {

// Of the regular files right in a directory. Files come and go meanwhile.
std::uint64_t bytes_in(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (!at->is_regular_file(gone) || gone) continue;
    const std::uintmax_t size = at->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace

HostWatch::HostWatch(const Config& config, std::string version)
    : data_(config.data_directory),
      reserve_bytes_(config.disk_reserve_bytes),
      version_(std::move(version)),
      started_{std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1)},
      started_steady_(std::chrono::steady_clock::now()) {}

void HostWatch::read_certificate(const std::string& use, const fs::path& file) {
  const auto read = net::read_certificate_file(file);
  if (!read) return;
  CertificateState state{use, read->uri, read->issuer, read->not_before, read->not_after};
  const std::lock_guard lock(mutex_);
  const auto before = std::ranges::find(certificates_, use, &CertificateState::use);
  if (before == certificates_.end())
    certificates_.push_back(std::move(state));
  else
    *before = std::move(state);
}

HostState HostWatch::state() const {
  HostState state;
  state.version = version_;
  state.started = started_;
  state.running_for = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started_steady_);
  std::error_code error;
  const fs::space_info space = fs::space(data_, error);
  if (!error)
    state.disk =
        DiskState{data_.string(), space.available, space.capacity, reserve_bytes_, bytes_in(data_)};
  const fs::path evidence = data_ / kEvidenceFolder;
  state.evidence_directory = evidence.string();
  state.evidence_files = count_evidence(evidence);
  const std::lock_guard lock(mutex_);
  state.certificates = certificates_;
  return state;
}

}  // namespace eventchain::node
