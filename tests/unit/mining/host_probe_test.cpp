#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "mining/host_probe.h"
#include "tests/unit/temporary_directory.h"

using namespace eventchain;
using namespace eventchain::mining;
using namespace std::chrono_literals;

namespace {

// A directory with the kernel's files as a test wants them.
class FakeHost : public TemporaryDirectory {
 public:
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((path() / name).parent_path());
    std::ofstream(path() / name) << text;
  }
  void remove(const std::string& name) { std::filesystem::remove(path() / name); }
  [[nodiscard]] HostProbeOptions options(ProcessorSet processors = {0, 1}) const {
    return {path() / "kill", path(), std::move(processors)};
  }
};

}  // namespace

TEST_CASE("this host has processors and says what they do") {
  HostProbe probe({});
  const HostShape shape = probe.shape();
  CHECK(shape.processors >= shape.cores);
  CHECK(shape.cores >= 1);
  const HostSample first = probe.sample(7ms);
  const HostSample second = probe.sample(9ms);
  CHECK_FALSE(first.is_blind);
  CHECK(second.at >= first.at);
  CHECK(second.idle >= first.idle);
  CHECK(second.own == 9ms);
  CHECK_FALSE(first.has_kill_switch);
  CHECK(first.minute_of_week < kMinutesPerWeek);
}

TEST_CASE("a host is read anew with every sample") {
  FakeHost host;
  host.write("proc/stat", "cpu 0 0 0 0\ncpu0 1 1 1 10 0 0 0 5\ncpu1 1 1 1 20 0 0 0 5\nintr 1\n");
  HostProbe probe(host.options());
  const HostSample first = probe.sample(0ms);
  host.write("proc/stat", "cpu 0 0 0 0\ncpu0 1 1 1 13 0 0 0 5\ncpu1 1 1 1 20 0 0 0 9\nintr 1\n");
  const HostSample second = probe.sample(0ms);
  // In ticks of whatever length the system has.
  const auto tick = second.idle / 33;
  CHECK(second.idle - first.idle == 3 * tick);
  CHECK(second.stolen - first.stolen == 4 * tick);
}

TEST_CASE("without the counters a sample is blind") {
  FakeHost host;
  HostProbe missing(host.options());
  CHECK(missing.sample(0ms).is_blind);
  host.write("proc/stat", std::string(100'000, 'x'));
  HostProbe odd(host.options());
  CHECK(odd.sample(0ms).is_blind);
}

TEST_CASE("the kill switch counts while it is there, or may be") {
  FakeHost host;
  HostProbe probe(host.options());
  CHECK_FALSE(probe.sample(0ms).has_kill_switch);
  host.write("kill", "");
  CHECK(probe.sample(0ms).has_kill_switch);
  host.remove("kill");
  CHECK_FALSE(probe.sample(0ms).has_kill_switch);
  HostProbeOptions unreachable = host.options();
  unreachable.kill_switch = std::string(5'000, 'k');  // no system takes such a name
  CHECK(HostProbe(unreachable).sample(0ms).has_kill_switch);
}

TEST_CASE("cores and isolation come from the kernel's files") {
  FakeHost host;
  const std::string cpu = "sys/devices/system/cpu/cpu";
  host.write(cpu + "0/topology/core_cpus_list", "0-1\n");
  host.write(cpu + "1/topology/thread_siblings_list", "0-1\n");
  host.write("proc/self/cgroup", "0::/system.slice/miner.service\n");
  host.write("sys/fs/cgroup/system.slice/miner.service/cpu.idle", "0\n");
  const HostProbe probe(host.options());
  CHECK(probe.shape().processors == 2);
  CHECK(probe.shape().cores == 1);
  CHECK_FALSE(probe.shape().is_isolated);
  host.write("sys/fs/cgroup/system.slice/miner.service/cpu.idle", "1\n");
  CHECK(probe.shape().is_isolated);
}

TEST_CASE("heat is counted over the processors that tell of it") {
  FakeHost host;
  const std::string file = "/thermal_throttle/core_throttle_count";
  host.write("sys/devices/system/cpu/cpu0" + file, "3\n");
  host.write("sys/devices/system/cpu/cpu1" + file, "4\n");
  HostProbe probe(host.options({0, 1, 2}));
  CHECK(probe.sample(0ms).throttlings == 7);
}
