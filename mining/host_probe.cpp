#include "mining/host_probe.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "chain/result.h"

namespace eventchain::mining {
namespace {

constexpr std::size_t kSmallFileMax = 16 * 1024;
// A line on a processor has about a hundred octets.
constexpr std::size_t kStatOctetsEach = 192;
// One small file for each processor; heat moves slowly.
constexpr std::chrono::milliseconds kThrottlingsEvery{1000};

std::chrono::nanoseconds stat_tick() {
  const long per_second = sysconf(_SC_CLK_TCK);
  return std::chrono::nanoseconds(std::chrono::seconds(1)) / (per_second > 0 ? per_second : 100);
}

// Until the buffer is full or the file ends; nothing if it cannot be read.
std::size_t read_all(int file, std::string& into) {
  std::size_t length = 0;
  while (length < into.size()) {
    const ssize_t got =
        pread(file, into.data() + length, into.size() - length, static_cast<off_t>(length));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    length += static_cast<std::size_t>(got);
  }
  return length;
}

unsigned local_minute_of_week() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  tm local{};
  if (localtime_r(&time.tv_sec, &local) == nullptr) return 0;
  const int day = (local.tm_wday + 6) % 7;  // tm has Sunday as 0
  return static_cast<unsigned>((day * 24 + local.tm_hour) * 60 + local.tm_min);
}

std::string directory_of(unsigned processor) {
  return "sys/devices/system/cpu/cpu" + std::to_string(processor);
}

}  // namespace

chain::Instant monotonic_now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return {std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)};
}

ProcessorSet own_processors() {
  ProcessorSet processors;
  cpu_set_t* const set = CPU_ALLOC(kProcessorsMax);
  const std::size_t size = CPU_ALLOC_SIZE(kProcessorsMax);
  if (set != nullptr && sched_getaffinity(0, size, set) == 0) {
    for (unsigned i = 0; i < kProcessorsMax; ++i)
      if (CPU_ISSET_S(i, size, set)) processors.push_back(i);
  }
  CPU_FREE(set);
  if (processors.empty()) processors.push_back(0);
  return processors;
}

std::string read_small_file(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string text(kSmallFileMax, '\0');
  text.resize(read_all(file, text));
  close(file);
  return text;
}

HostProbe::HostProbe(HostProbeOptions options) : options_(std::move(options)), tick_(stat_tick()) {
  EC_ASSERT(!options_.processors.empty(), "a host has a processor");
  stat_ = open((options_.root / "proc/stat").c_str(), O_RDONLY | O_CLOEXEC);
  // The first line is the sum, and the lines go by number, not by our set.
  text_.resize((options_.processors.back() + 2) * kStatOctetsEach);
  for (const unsigned processor : options_.processors) {
    std::filesystem::path file =
        options_.root / directory_of(processor) / "thermal_throttle/core_throttle_count";
    if (parse_count(read_small_file(file))) throttle_files_.push_back(std::move(file));
  }
}

HostProbe::~HostProbe() {
  if (stat_ >= 0) close(stat_);
}

HostShape HostProbe::shape() const {
  HostShape shape;
  shape.processors = static_cast<unsigned>(options_.processors.size());
  std::vector<std::string> siblings;
  for (const unsigned processor : options_.processors) {
    const std::filesystem::path topology = options_.root / directory_of(processor) / "topology";
    std::string list = read_small_file(topology / "core_cpus_list");
    // The name before Linux 5.3.
    if (list.empty()) list = read_small_file(topology / "thread_siblings_list");
    siblings.push_back(std::move(list));
  }
  shape.cores = count_cores(options_.processors, siblings);
  const std::vector<IdleMark> marks =
      idle_marks(read_small_file(options_.root / "proc/self/cgroup"));
  shape.is_isolated = std::any_of(marks.begin(), marks.end(), [this](const IdleMark& mark) {
    return parse_count(read_small_file(options_.root / mark.path)) == mark.value;
  });
  return shape;
}

HostSample HostProbe::sample(std::chrono::nanoseconds own) {
  HostSample sample;
  const std::size_t length = stat_ >= 0 ? read_all(stat_, text_) : 0;
  sample.at = monotonic_now();
  const auto times =
      parse_stat(std::string_view(text_).substr(0, length), options_.processors, tick_);
  sample.is_blind = !times;
  if (times) {
    sample.idle = times->idle;
    sample.stolen = times->stolen;
  }
  sample.own = own;
  if (!throttlings_at_ || sample.at - *throttlings_at_ >= kThrottlingsEvery) {
    throttlings_ = read_throttlings();
    throttlings_at_ = sample.at;
  }
  sample.throttlings = throttlings_;
  sample.has_kill_switch = has_kill_switch();
  sample.minute_of_week = local_minute_of_week();
  return sample;
}

bool HostProbe::has_kill_switch() const {
  if (options_.kill_switch.empty()) return false;
  // One that cannot be looked for may be there.
  return access(options_.kill_switch.c_str(), F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

std::uint64_t HostProbe::read_throttlings() const {
  std::uint64_t sum = 0;
  for (const std::filesystem::path& file : throttle_files_)
    sum += parse_count(read_small_file(file)).value_or(0);
  return sum;
}

}  // namespace eventchain::mining
