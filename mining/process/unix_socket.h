#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "chain/result.h"

// The socket by which a node and its miner process meet: a file, so that its mode says who may
// come, and the kernel says who came.
namespace eventchain::mining::process {

// A path of a socket has no more octets.
inline constexpr std::size_t kSocketPathMax = 107;

// Closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  [[nodiscard]] int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

// Wakes a thread that polls. Any thread; never waits.
class WakeDescriptor {
 public:
  WakeDescriptor();
  void notify() const;
  void forget() const;
  [[nodiscard]] int number() const { return event_.number(); }

 private:
  Descriptor event_;
};

struct Visitor {
  Descriptor connection;
  pid_t pid = 0;
  bool is_admitted = false;
};

// Listens at a path. The file is for its owner alone (mode 0600), or for a group too (0660), and
// goes when this does. Whoever connects is admitted by what the kernel says of it: the user of this
// process, root, or the group.
class UnixListener {
 public:
  // A file that a dead process left is replaced; one at which somebody listens is not. `group` may
  // be empty.
  static chain::Result<UnixListener> open(const std::filesystem::path& path,
                                          const std::string& group);
  ~UnixListener();
  UnixListener(UnixListener&&) = default;
  UnixListener& operator=(UnixListener&&) = delete;

  [[nodiscard]] int number() const { return socket_.number(); }
  // nullopt: nobody waits. An error: somebody may wait, and cannot be let in now; poll() goes on to
  // call the listener readable then.
  [[nodiscard]] chain::Result<std::optional<Visitor>> accept() const;

 private:
  UnixListener(Descriptor lock, Descriptor socket, std::filesystem::path path)
      : lock_(std::move(lock)), socket_(std::move(socket)), path_(std::move(path)) {}

  Descriptor lock_;  // on a file beside the socket: of two that start together one must lose
  Descriptor socket_;
  std::filesystem::path path_;
  dev_t device_ = 0;  // with the number the file's identity: another's is not removed
  ino_t file_ = 0;
  std::optional<gid_t> group_;
};

// The message is the system's, without the path.
chain::Result<Descriptor> connect_unix(const std::filesystem::path& path);

}  // namespace eventchain::mining::process
