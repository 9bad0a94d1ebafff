#include "mining/process/unix_socket.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

namespace eventchain::mining::process {
namespace {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOwnerAndGroup = 0660;
constexpr int kWaitingMax = 8;

std::string describe(int error) {
  return std::system_category().message(error);
}

tl::unexpected<chain::Error> refuse(const std::filesystem::path& path, const std::string& what) {
  return fail(ErrorCode::kIo, "mining.socket: " + path.string() + ": " + what);
}

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  const std::string text = path.string();
  if (text.empty() || text.size() > kSocketPathMax)
    return refuse(path, "a socket's path has 1 to " + std::to_string(kSocketPathMax) +
                            " octets; set mining.socket to a shorter one");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

Descriptor make_socket() {
  return Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// 0, or the error.
int connect_to(const Descriptor& socket, const sockaddr_un& address) {
  if (!socket) return errno;
  const auto* const general = reinterpret_cast<const sockaddr*>(&address);
  return connect(socket.number(), general, sizeof(address)) == 0 ? 0 : errno;
}

// Removes what a dead process left at the path, and nothing else.
Result<void> make_room(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat there {};
  if (lstat(path.c_str(), &there) != 0) {
    if (errno == ENOENT) return {};
    return refuse(path, describe(errno) + "; its directory must be readable for the node");
  }
  if (!S_ISSOCK(there.st_mode))
    return refuse(path, "is there and no socket; remove it, or set mining.socket to another path");
  const int error = connect_to(make_socket(), address);
  if (error != ECONNREFUSED)
    return refuse(path, error == 0 || error == EAGAIN
                            ? "another process listens there; two nodes need two sockets"
                            : "cannot be looked at: " + describe(error) +
                                  "; let the node's user own it, or remove it");
  if (unlink(path.c_str()) != 0)
    return refuse(path, "cannot be replaced: " + describe(errno) +
                            "; let the node's user write to its directory");
  return {};
}

// Held as long as the listener lives. Between the looking and the listening of one process another
// one must not take the fresh socket for a dead one's.
Result<Descriptor> lock_beside(const std::filesystem::path& path) {
  const std::string beside = path.string() + ".lock";
  Descriptor lock(open(beside.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly));
  if (!lock)
    return refuse(path, "the lock file beside it cannot be made: " + describe(errno) +
                            "; its directory must be there and writable for the node");
  if (flock(lock.number(), LOCK_EX | LOCK_NB) != 0)
    return refuse(path, "another process listens there; two nodes need two sockets");
  return lock;
}

Result<gid_t> find_group(const std::filesystem::path& path, const std::string& name) {
  constexpr std::size_t kEntryMax = 64 * 1024;
  std::vector<char> text(kEntryMax);
  group entry{};
  group* found = nullptr;
  const int error = getgrnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
  if (found != nullptr) return found->gr_gid;
  return refuse(path, "mining.socket_group: there is no group " + name +
                          (error != 0 ? " (" + describe(error) + ")" : ""));
}

Result<void> open_to(const std::filesystem::path& path, gid_t group) {
  constexpr uid_t kSame = static_cast<uid_t>(-1);
  if (chown(path.c_str(), kSame, group) != 0 || chmod(path.c_str(), kOwnerAndGroup) != 0)
    return refuse(path, "mining.socket_group: the file cannot be given to the group: " +
                            describe(errno) + "; let the node's user be a member of it");
  return {};
}

bool is_in(int connection, const ucred& who, gid_t group) {
  if (who.gid == group) return true;
  constexpr std::size_t kGroupsMax = 65'536;  // the kernel's NGROUPS_MAX
  std::vector<gid_t> groups(kGroupsMax);
  auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return false;
  groups.resize(size / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

WakeDescriptor::WakeDescriptor() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  EC_ASSERT(bool(event_), "no descriptor is left");
}

void WakeDescriptor::notify() const {
  const std::uint64_t one = 1;
  // It fails only when it was notified 2^64 times already.
  [[maybe_unused]] const ssize_t written = write(event_.number(), &one, sizeof(one));
}

void WakeDescriptor::forget() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(event_.number(), &count, sizeof(count));
}

Result<UnixListener> UnixListener::open(const std::filesystem::path& path,
                                        const std::string& group) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  auto lock = lock_beside(path);
  if (!lock) return tl::unexpected(lock.error());
  if (auto room = make_room(path, *address); !room) return tl::unexpected(room.error());
  std::optional<gid_t> members;
  if (!group.empty()) {
    const auto found = find_group(path, group);
    if (!found) return tl::unexpected(found.error());
    members = *found;
  }
  Descriptor socket = make_socket();
  // The file gets the socket's mode: at no time may others connect.
  if (!socket || fchmod(socket.number(), kOwnerOnly) != 0 ||
      bind(socket.number(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    return refuse(path, "cannot be made: " + describe(errno) +
                            "; its directory must be there and writable for the node");
  UnixListener listener(std::move(*lock), std::move(socket), path);
  struct stat made {};
  if (lstat(path.c_str(), &made) != 0) return refuse(path, describe(errno));
  listener.device_ = made.st_dev;
  listener.file_ = made.st_ino;
  listener.group_ = members;
  if (members)
    if (auto opened = open_to(path, *members); !opened) return tl::unexpected(opened.error());
  if (listen(listener.number(), kWaitingMax) != 0) return refuse(path, describe(errno));
  return listener;
}

UnixListener::~UnixListener() {
  if (!socket_) return;
  struct stat there {};
  if (lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == file_)
    unlink(path_.c_str());
}

Result<std::optional<Visitor>> UnixListener::accept() const {
  Visitor visitor;
  visitor.connection =
      Descriptor(accept4(socket_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!visitor.connection) {
    const int error = errno;
    // Those that the system means by "try again", and who went away while he waited.
    if (error == EAGAIN || error == ECONNABORTED || error == EINTR) return std::nullopt;
    return refuse(path_, "nobody can be let in: " + describe(error));
  }
  ucred who{};
  socklen_t size = sizeof(who);
  const int connection = visitor.connection.number();
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return visitor;
  visitor.pid = who.pid;
  visitor.is_admitted =
      who.uid == geteuid() || who.uid == 0 || (group_ && is_in(connection, who, *group_));
  return visitor;
}

Result<Descriptor> connect_unix(const std::filesystem::path& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  Descriptor socket = make_socket();
  if (const int error = connect_to(socket, *address); error != 0)
    return fail(ErrorCode::kUnavailable, describe(error));
  return socket;
}

}  // namespace eventchain::mining::process
