#include "crash_vfs.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace eventchain::store::testing {

namespace {

constexpr std::size_t kSector = 512;

struct Handle {
  sqlite3_file base;
  CrashDisk* disk;
  CrashDisk::FileRef file;
};

Handle& handle(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file);
}
CrashDisk& disk(sqlite3_vfs* vfs) {
  return *static_cast<CrashDisk*>(vfs->pAppData);
}

void put(std::string& into, const CrashDisk::Write& write) {
  if (write.is_truncate) {
    into.resize(write.offset);
    return;
  }
  into.resize(std::max(into.size(), write.offset + write.octets.size()));
  into.replace(write.offset, write.octets.size(), write.octets);
}

// The parts of a write that lie in different sectors.
std::vector<CrashDisk::Write> by_sectors(const CrashDisk::Write& write) {
  std::vector<CrashDisk::Write> parts;
  for (std::size_t at = 0; at < write.octets.size();) {
    const std::size_t in_sector = kSector - (write.offset + at) % kSector;
    const std::size_t size = std::min(in_sector, write.octets.size() - at);
    parts.push_back({false, write.offset + at, write.octets.substr(at, size)});
    at += size;
  }
  return parts;
}

int close_file(sqlite3_file* file) {
  handle(file).~Handle();
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset) {
  const std::string& bytes = handle(file).file->current;
  const auto wanted = static_cast<std::size_t>(size);
  const std::size_t begin = std::min(static_cast<std::size_t>(offset), bytes.size());
  const std::size_t found = std::min(wanted, bytes.size() - begin);
  std::memset(buffer, 0, wanted);
  std::memcpy(buffer, bytes.data() + begin, found);
  return found == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* buffer, int size, sqlite3_int64 offset) {
  return handle(file).disk->write(
      *handle(file).file,
      {false, static_cast<std::size_t>(offset),
       std::string(static_cast<const char*>(buffer), static_cast<std::size_t>(size))});
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return handle(file).disk->write(*handle(file).file, {true, static_cast<std::size_t>(size), {}});
}

int sync_file(sqlite3_file* file, int) {
  return handle(file).disk->sync(*handle(file).file);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(handle(file).file->current.size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) {
  return SQLITE_OK;
}
int check_lock(sqlite3_file*, int* is_locked) {
  *is_locked = 0;
  return SQLITE_OK;
}
int control_file(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return 4096;  // as the system's VFS says
}
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;  // as the system's VFS says
}

int map_memory(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  auto& regions = handle(file).file->shared_memory;
  const auto index = static_cast<std::size_t>(region);
  while (regions.size() <= index && extend != 0)
    regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  *memory = index < regions.size() ? regions[index].get() : nullptr;
  return SQLITE_OK;
}
int lock_memory(sqlite3_file*, int, int, int) {
  return SQLITE_OK;
}
void memory_barrier(sqlite3_file*) {}
int unmap_memory(sqlite3_file* file, int is_delete) {
  if (is_delete != 0) handle(file).file->shared_memory.clear();
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods{};
  methods.iVersion = 2;
  methods.xClose = close_file;
  methods.xRead = read_file;
  methods.xWrite = write_file;
  methods.xTruncate = truncate_file;
  methods.xSync = sync_file;
  methods.xFileSize = file_size;
  methods.xLock = lock_file;
  methods.xUnlock = lock_file;
  methods.xCheckReservedLock = check_lock;
  methods.xFileControl = control_file;
  methods.xSectorSize = sector_size;
  methods.xDeviceCharacteristics = characteristics;
  methods.xShmMap = map_memory;
  methods.xShmLock = lock_memory;
  methods.xShmBarrier = memory_barrier;
  methods.xShmUnmap = unmap_memory;
  return methods;
}();

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  // Files without a name are SQLite's own temporary ones.
  const CrashDisk::FileRef opened = path == nullptr
                                        ? std::make_shared<CrashDisk::File>()
                                        : disk(vfs).open(path, (flags & SQLITE_OPEN_CREATE) != 0);
  if (opened == nullptr) return SQLITE_CANTOPEN;
  new (file) Handle{{&kMethods}, &disk(vfs), opened};
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  return disk(vfs).remove(path, sync_directory != 0);
}

int access_file(sqlite3_vfs* vfs, const char* path, int, int* is_there) {
  *is_there = disk(vfs).exists(path) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* full) {
  sqlite3_snprintf(size, full, "%s", path);
  return SQLITE_OK;
}

// Always the same: two runs of a test must do the same operations.
int randomness(sqlite3_vfs*, int size, char* octets) {
  for (int i = 0; i < size; ++i) octets[i] = static_cast<char>(i * 37 + 11);
  return size;
}
int sleep_not(sqlite3_vfs*, int microseconds) {
  return microseconds;
}
int fixed_time(sqlite3_vfs*, double* days) {
  *days = 2460000.5;
  return SQLITE_OK;
}
int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

CrashDisk::CrashDisk() : vfs_(std::make_unique<sqlite3_vfs>()) {
  static int count = 0;
  name_ = "crash-" + std::to_string(++count);
  *vfs_ = sqlite3_vfs{};
  vfs_->iVersion = 1;
  vfs_->szOsFile = sizeof(Handle);
  vfs_->mxPathname = 256;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = open_file;
  vfs_->xDelete = delete_file;
  vfs_->xAccess = access_file;
  vfs_->xFullPathname = full_path;
  vfs_->xRandomness = randomness;
  vfs_->xSleep = sleep_not;
  vfs_->xCurrentTime = fixed_time;
  vfs_->xGetLastError = last_error;
  sqlite3_vfs_register(vfs_.get(), 0);
}

CrashDisk::~CrashDisk() {
  sqlite3_vfs_unregister(vfs_.get());
}

void CrashDisk::arm(std::uint64_t operation, Fault fault) {
  strike_at_ = operations_ + operation;
  fault_ = fault;
  has_struck_ = false;
}

// The result of the operation that is about to happen. `has_effect`: do it although it fails.
int CrashDisk::strike(bool is_write, bool* has_effect) {
  *has_effect = false;
  if (is_dead_) return SQLITE_IOERR;
  ++operations_;
  const bool is_now = operations_ == strike_at_;
  if (is_now) has_struck_ = true;
  if (is_now && fault_ == Fault::kFull) is_full_ = true;
  if (is_full_ && is_write) return SQLITE_FULL;
  if (!is_now || fault_ == Fault::kFull) {
    *has_effect = true;
    return SQLITE_OK;
  }
  if (fault_ == Fault::kPowerCut) {
    is_dead_ = true;
    *has_effect = is_write;  // as a pending write, which crash() decides about
  }
  return is_write ? SQLITE_IOERR_WRITE : SQLITE_IOERR_FSYNC;
}

CrashDisk::FileRef CrashDisk::open(const std::string& path, bool create) {
  const auto at = files_.find(path);
  if (at != files_.end() && !at->second->is_deleted) return at->second;
  if (!create || is_dead_) return nullptr;
  return files_[path] = std::make_shared<File>();
}

int CrashDisk::remove(const std::string& path, bool sync_directory) {
  bool has_effect = false;
  const int code = strike(true, &has_effect);
  const auto at = files_.find(path);
  if (has_effect && at != files_.end()) {
    at->second->is_deleted = true;
    if (code == SQLITE_OK && sync_directory) files_.erase(at);
  }
  return code;
}

bool CrashDisk::exists(const std::string& path) const {
  const auto at = files_.find(path);
  return at != files_.end() && !at->second->is_deleted;
}

int CrashDisk::write(File& file, Write write) {
  bool has_effect = false;
  const int code = strike(true, &has_effect);
  if (!has_effect) return code;
  put(file.current, write);
  file.pending.push_back(std::move(write));
  return code;
}

int CrashDisk::sync(File& file) {
  ++syncs_;
  bool has_effect = false;
  const int code = strike(false, &has_effect);
  if (!has_effect) return code;
  file.durable = file.current;
  file.pending.clear();
  return code;
}

void CrashDisk::crash(chain::Rng& rng) {
  for (auto at = files_.begin(); at != files_.end();) {
    File& file = *at->second;
    // Each round draws how much of the cache had been written back.
    const auto kept_in_4 = static_cast<std::uint32_t>(rng.below(5));
    for (const Write& write : file.pending) {
      if (write.is_truncate || rng.chance(2, 3)) {
        if (rng.chance(kept_in_4, 4)) put(file.durable, write);
        continue;
      }
      for (const Write& part : by_sectors(write))
        if (rng.chance(kept_in_4, 4)) put(file.durable, part);
    }
    const bool is_gone = file.is_deleted && rng.chance(1, 2);
    auto survivor = std::make_shared<File>();
    survivor->durable = file.durable;
    survivor->current = file.durable;
    at->second = std::move(survivor);
    at = is_gone ? files_.erase(at) : std::next(at);
  }
  strike_at_ = 0;
  is_dead_ = false;
  is_full_ = false;
}

}  // namespace eventchain::store::testing
