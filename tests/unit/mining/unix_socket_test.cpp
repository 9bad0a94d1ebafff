#include <doctest/doctest.h>
#include <grp.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "mining/process/unix_socket.h"
#include "tests/unit/temporary_directory.h"

using namespace eventchain;
using namespace eventchain::mining::process;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat there {};
  REQUIRE(lstat(path.c_str(), &there) == 0);
  return there.st_mode & 07777;
}

std::string refusal(const std::string& path, const std::string& group = {}) {
  const auto listener = UnixListener::open(path, group);
  return listener ? std::string("no error") : listener.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::optional<Visitor> wait_visitor(const UnixListener& listener) {
  pollfd one{listener.number(), POLLIN, 0};
  poll(&one, 1, -1);
  auto visitor = listener.accept();
  REQUIRE_MESSAGE(visitor.has_value(), visitor.error().message);
  return std::move(*visitor);
}

}  // namespace

TEST_CASE("a listener's file is for its owner alone, admits him, and goes with the listener") {
  TemporaryDirectory directory;
  const std::string path = directory.file("s");
  {
    const auto listener = UnixListener::open(path, {});
    REQUIRE_MESSAGE(listener.has_value(), listener.error().message);
    CHECK(mode_of(path) == 0600);
    const auto nobody = listener->accept();
    REQUIRE(nobody.has_value());
    CHECK_FALSE(nobody->has_value());
    const auto connection = connect_unix(path);
    REQUIRE_MESSAGE(connection.has_value(), connection.error().message);
    const auto visitor = wait_visitor(*listener);
    REQUIRE(visitor.has_value());
    CHECK(visitor->is_admitted);
    CHECK(visitor->pid == getpid());
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(connect_unix(path).has_value());
}

TEST_CASE("a group may be let in") {
  TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const group* const own = getgrgid(getegid());
  REQUIRE(own != nullptr);
  const auto listener = UnixListener::open(path, own->gr_name);
  REQUIRE_MESSAGE(listener.has_value(), listener.error().message);
  CHECK(mode_of(path) == 0660);
  CHECK(contains(refusal(directory.file("t"), "no-such-group"), "mining.socket_group"));
  CHECK_FALSE(std::filesystem::exists(directory.file("t")));
}

TEST_CASE("of two that open one path only one does, even before it listens") {
  TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const auto first = UnixListener::open(path, {});
  REQUIRE(first.has_value());
  // As it is between bind() and listen(), when nobody answers at the path.
  std::filesystem::remove(path);
  CHECK(contains(refusal(path), "another process listens"));
}

TEST_CASE("what a dead process left is replaced, and nothing else is") {
  TemporaryDirectory directory;
  const std::string path = directory.file("s");
  auto first = UnixListener::open(path, {});
  REQUIRE(first.has_value());
  CHECK(contains(refusal(path), "another process listens"));

  // The end of a process closes the socket and leaves the file.
  const std::string left = directory.file("left");
  std::filesystem::rename(path, left);
  { const UnixListener ended = std::move(*first); }
  CHECK(std::filesystem::exists(left));
  const auto second = UnixListener::open(left, {});
  CHECK_MESSAGE(second.has_value(), second.error().message);

  const std::string file = directory.file("file");
  std::ofstream(file) << "mine";
  CHECK(contains(refusal(file), "no socket"));
  CHECK(std::filesystem::exists(file));
}

TEST_CASE("a file that took the place of a listener's is not removed with it") {
  TemporaryDirectory directory;
  const std::string path = directory.file("s");
  {
    const auto listener = UnixListener::open(path, {});
    REQUIRE(listener.has_value());
    std::filesystem::remove(path);
    std::ofstream(path) << "another's";
  }
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a path that no socket can have is refused with the remedy") {
  TemporaryDirectory directory;
  CHECK(contains(refusal(directory.file(std::string(kSocketPathMax, 'x'))), "shorter"));
  CHECK(contains(refusal(directory.file("missing/s")), "directory must be there"));
}

TEST_CASE("another user is not admitted, unless it is of the group") {
  if (geteuid() != 0) {
    MESSAGE("not run: needs root to be two users");
    return;
  }
  constexpr uid_t kSomebody = 65'534;
  constexpr gid_t kTheirs = 65'533;
  TemporaryDirectory directory;
  const std::string path = directory.file("s");
  for (const bool is_member : {false, true}) {
    CAPTURE(is_member);
    const group* const own = getgrgid(getegid());
    REQUIRE(own != nullptr);
    const auto listener = UnixListener::open(path, own->gr_name);
    REQUIRE(listener.has_value());
    // Whatever the file's mode was changed to by somebody.
    REQUIRE(chmod(path.c_str(), 0666) == 0);
    REQUIRE(chmod(directory.path().c_str(), 0755) == 0);
    const pid_t child = fork();
    if (child == 0) {
      const gid_t also = getegid();
      const bool is_other = setgroups(is_member ? 1 : 0, &also) == 0 && setgid(kTheirs) == 0 &&
                            setuid(kSomebody) == 0;
      const auto connection = connect_unix(path);
      _exit(is_other && connection ? 0 : 1);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    const auto visitor = wait_visitor(*listener);
    REQUIRE(visitor.has_value());
    CHECK(visitor->is_admitted == is_member);
    CHECK(visitor->pid == child);
  }
}
