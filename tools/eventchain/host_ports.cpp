#include "tools/eventchain/host_ports.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

#include <fmt/format.h>

namespace eventchain::tools {

namespace fs = std::filesystem;

namespace {

// Of the kernel's files, which tell no size.
std::string text_of_proc(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<std::string> processes() {
  std::vector<std::string> ids;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename();
    if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
      ids.push_back(std::move(name));
  }
  return ids;
}

std::string name_of(const std::string& pid) {
  std::string name = text_of_proc("/proc/" + pid + "/comm");
  if (name.ends_with('\n')) name.pop_back();
  return name;
}

// "eventchaind (123)"; empty if nobody may see.
std::string holder_of(const std::string& inode) {
  if (inode.empty()) return {};
  const std::string wanted = "socket:[" + inode + "]";
  for (const std::string& pid : processes()) {
    std::error_code error;
    for (fs::directory_iterator at("/proc/" + pid + "/fd", error), end; !error && at != end;
         at.increment(error)) {
      std::error_code gone;
      if (fs::read_symlink(at->path(), gone) == wanted && !gone)
        return fmt::format("{} ({})", name_of(pid), pid);
    }
  }
  return {};
}

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};

// 0, or why the address cannot be listened on.
int try_listening(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return EADDRNOTAVAIL;
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  const int descriptor =
      socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
  if (descriptor < 0) return errno;
  // As a node does: connections of before that linger are no obstacle.
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  int result = bind(descriptor, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  if (result == 0 && listen(descriptor, 1) != 0) result = errno;
  close(descriptor);
  return result;
}

}  // namespace

std::vector<RunningProgram> running_programs(const std::string& name) {
  std::vector<RunningProgram> found;
  for (const std::string& pid : processes()) {
    if (name_of(pid) != name) continue;
    RunningProgram program{pid, {}};
    std::istringstream line(text_of_proc("/proc/" + pid + "/cmdline"));
    for (std::string argument; std::getline(line, argument, '\0');)
      program.arguments.push_back(argument);
    // One that has ended and was not yet buried has none.
    if (!program.arguments.empty()) found.push_back(std::move(program));
  }
  return found;
}

std::string listening_inode(const std::string& table, std::uint16_t port) {
  std::istringstream lines(table);
  const std::string wanted = fmt::format(":{:04X}", port);
  for (std::string line; std::getline(lines, line);) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...
    std::istringstream fields(line);
    std::vector<std::string> all{std::istream_iterator<std::string>(fields),
                                 std::istream_iterator<std::string>()};
    constexpr std::size_t kInode = 9;
    if (all.size() > kInode && all[1].ends_with(wanted) && all[3] == "0A") return all[kInode];
  }
  return {};
}

PortFact look_at_port(const std::string& key, const std::string& host, std::uint16_t port) {
  PortFact fact;
  fact.key = key;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  fact.address = (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  switch (try_listening(host, std::to_string(port))) {
    case 0:
      return fact;
    case EACCES:
    case EPERM:
      fact.state = PortFact::State::kDenied;
      return fact;
    case EADDRINUSE:
      break;
    default:
      fact.state = PortFact::State::kNoSuchAddress;
      return fact;
  }
  fact.state = PortFact::State::kTaken;
  std::string inode = listening_inode(text_of_proc("/proc/net/tcp"), port);
  if (inode.empty()) inode = listening_inode(text_of_proc("/proc/net/tcp6"), port);
  fact.holder = holder_of(inode);
  return fact;
}

std::uint64_t files_open_max_of(const std::string& pid) {
  std::istringstream lines(text_of_proc("/proc/" + pid + "/limits"));
  const std::string begin = "Max open files";
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(begin)) continue;
    std::istringstream fields(line.substr(begin.size()));
    std::uint64_t soft = 0;
    return fields >> soft ? soft : 0;
  }
  return 0;
}

}  // namespace eventchain::tools
