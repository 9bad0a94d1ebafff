#include "node/api/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

extern char** environ;

namespace eventchain::node::api {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void take(int number) {
    close();
    number_ = number;
  }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read.take(ends[0]);
    write.take(ends[1]);
    return true;
  }
};

tl::unexpected<chain::Error> system_failure(const ChildProcess& child, const char* what, int code) {
  return fail(ErrorCode::kIo,
              fmt::format("{} {}: {}", what, child.program.string(), std::strerror(code)));
}

// Settings of the node are no business of the child, and its own variables replace any of theirs.
std::vector<std::string> environment_of(const ChildProcess& child) {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("EVENTCHAIN_")) all.emplace_back(*entry);
  all.insert(all.end(), child.environment.begin(), child.environment.end());
  return all;
}

// 0, or what went wrong. The child leads a process group, so that all of it can be killed, and has
// none of our other descriptors, sockets above all.
int spawn(const ChildProcess& child, int input, int output, pid_t& pid) {
  std::vector<std::string> environment = environment_of(child);
  std::vector<char*> variables;
  for (std::string& one : environment) variables.push_back(one.data());
  variables.push_back(nullptr);
  std::string program = child.program.string();
  char* const arguments[] = {program.data(), nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int failure =
      posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments, variables.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

// The parent's side while the child runs.
class Conversation {
 public:
  Conversation(const ChildProcess& child, int process, Descriptor& input, Descriptor& output)
      : child_(child), process_(process), input_(input), output_(output) {
    for (const Descriptor* one : {&input_, &output_})
      ::fcntl(one->get(), F_SETFL, ::fcntl(one->get(), F_GETFL) | O_NONBLOCK);
  }

  // Until the child has ended or must be ended.
  Result<void> hold() {
    const auto deadline = std::chrono::steady_clock::now() + child_.time_max;
    for (;;) {
      std::array<pollfd, 4> waited = {{{input_.get(), POLLOUT, 0},
                                       {output_.get(), POLLIN, 0},
                                       {process_, POLLIN, 0},
                                       {child_.stop, POLLIN, 0}}};
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0)
        return fail(ErrorCode::kUnavailable,
                    fmt::format("{} took longer than {} ms and was killed", child_.program.string(),
                                child_.time_max.count()));
      if (::poll(waited.data(), waited.size(), static_cast<int>(left.count())) < 0) {
        if (errno == EINTR) continue;
        return system_failure(child_, "cannot wait for", errno);
      }
      if (waited[3].revents != 0) return fail(ErrorCode::kUnavailable, "the node is stopping");
      if (waited[0].revents != 0) write_some();
      if (waited[1].revents != 0)
        if (auto read = read_all(); !read) return read;
      if (waited[2].revents != 0) return read_all();  // what it said just before it ended
    }
  }
  std::string take() { return std::move(said_); }

 private:
  void write_some() {
    const ssize_t written =
        ::write(input_.get(), child_.input.data() + written_, child_.input.size() - written_);
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (written > 0) written_ += static_cast<std::size_t>(written);
    // A child that does not want to read all of it may know why.
    if (written < 0 || written_ == child_.input.size()) input_.close();
  }

  // All there is at present.
  Result<void> read_all() {
    char buffer[4096];
    while (output_.is_open()) {
      const ssize_t got = ::read(output_.get(), buffer, sizeof(buffer));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return {};
      if (got <= 0) {
        output_.close();
        return {};
      }
      said_.append(buffer, static_cast<std::size_t>(got));
      if (said_.size() > child_.output_max)
        return fail(ErrorCode::kTooLarge,
                    fmt::format("{} answered more than {} octets and was killed",
                                child_.program.string(), child_.output_max));
    }
    return {};
  }

  const ChildProcess& child_;
  const int process_;
  Descriptor& input_;
  Descriptor& output_;
  std::size_t written_ = 0;
  std::string said_;
};

}  // namespace

Result<std::string> run_child(const ChildProcess& child) {
  Pipe input;
  Pipe output;
  if (!input.open() || !output.open())
    return system_failure(child, "cannot make a pipe for", errno);
  pid_t pid = 0;
  if (const int failure = spawn(child, input.read.get(), output.write.get(), pid); failure != 0)
    return system_failure(child, "cannot run", failure);
  input.read.close();
  output.write.close();
  // glibc 2.36 declares its wrapper without C linkage.
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  Result<void> held;
  Conversation conversation(child, process.get(), input.write, output.read);
  if (process.is_open())
    held = conversation.hold();
  else
    held = system_failure(child, "cannot watch", errno);
  // The group keeps its number until its leader is waited for, so nobody else is hit.
  ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (!held) return tl::unexpected(held.error());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return conversation.take();
  return fail(
      ErrorCode::kUnavailable,
      WIFEXITED(status)
          ? fmt::format("{} failed with exit code {}; the node's log has what it said",
                        child.program.string(), WEXITSTATUS(status))
          : fmt::format("{} was ended by signal {}", child.program.string(), WTERMSIG(status)));
}

}  // namespace eventchain::node::api
