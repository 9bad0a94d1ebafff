#include "node/witnessing/log_witnesses.h"

#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "chain/certificate.h"
#include "net/http/server.h"
#include "tests/unit/node/api_fakes.h"
#include "tests/unit/node/witness_fixture.h"

using namespace api_test;
using witness_test::RunningWitness;

namespace {

// Tells when something was kept.
class FakeCosignatures final : public store::CosignatureMemory {
 public:
  std::vector<Cosigned> cosigned() override { return {}; }
  std::optional<Witnessed> witnessed() override { return earlier; }
  std::optional<Witnessed> earlier;  // of an earlier run
  void keep(const Cosigned&, const std::optional<Witnessed>& witnessed) override {
    const std::lock_guard lock(mutex_);
    if (fails_) {
      failed_ = true;
      is_there_.notify_all();
      throw store::StoreFailure("the disk is full");
    }
    if (witnessed) kept_ = witnessed;
    is_there_.notify_all();
  }
  Witnessed wait_witnessed() {
    std::unique_lock lock(mutex_);
    is_there_.wait(lock, [this] { return kept_.has_value(); });
    return *kept_;
  }
  void fail() { fails_ = true; }
  void wait_failed() {
    std::unique_lock lock(mutex_);
    is_there_.wait(lock, [this] { return failed_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable is_there_;
  std::optional<Witnessed> kept_;
  bool fails_ = false;
  bool failed_ = false;
};

// A log of nine entries whose only voter has signed its head.
struct FinalLog {
  FinalLog() {
    const auto key = chain::Ed25519::from_pem(witnessed_log::kPems[0]);
    REQUIRE(key.has_value());
    chain::Member& member = reader.member_set.members.at(0);
    member.signing_key = (*key)->public_key();
    chain::SealedHeader& sealed = reader.blocks[chain::Height{4}].block.sealed;
    sealed.header.height = chain::Height{4};
    sealed.header.log_size = reader.tip_info.log_size = 9;
    port.final_height = chain::Height{4};
    const chain::Bytes statement = chain::certified_statement(sealed.header, block_id(sealed));
    reader.signatures = {{member.slot, (*key)->sign(statement)}};
    const std::string origin = chain::log_origin(sealed.header.chain);
    as_witnessed = {origin, {{origin, member.signing_key}}, 1};
  }
  FakePort port;
  FakeReader reader;
  chain::WitnessedLog as_witnessed;
};

std::unique_ptr<net::http::Server> serve(net::http::Handler handler) {
  auto server = net::http::Server::start({}, std::move(handler));
  REQUIRE(server.has_value());
  return std::move(*server);
}

std::string url_of(const net::http::Server& server) {
  return fmt::format("http://127.0.0.1:{}/w", server.port());
}

struct World {
  explicit World(std::size_t quorum) {
    options.quorum = quorum;
    options.interval = std::chrono::milliseconds(5);
    options.timeout = std::chrono::hours(1);
    options.log = [this](node::Notice::Level, const std::string& text) {
      const std::lock_guard lock(mutex);
      lines += text + '\n';
    };
    options.witnesses = {{silent.self, url_of(*silence), ""}, {answers.self, url_of(*server), ""}};
  }
  std::unique_ptr<node::LogWitnesses> make() {
    auto made = node::LogWitnesses::make(options, log.port, log.reader, memory);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    return std::move(*made);
  }

  FinalLog log;
  RunningWitness silent{{}, 0};
  RunningWitness answers{{log.as_witnessed}, 1};
  std::mutex mutex;
  std::vector<std::shared_ptr<net::http::Responder>> kept;
  std::string lines;
  FakeCosignatures memory;
  node::LogWitnessesOptions options;
  std::unique_ptr<net::http::Server> silence =
      serve([this](net::http::Request, std::shared_ptr<net::http::Responder> responder) {
        const std::lock_guard lock(mutex);
        kept.push_back(std::move(responder));
      });
  std::unique_ptr<net::http::Server> server =
      serve([this](net::http::Request request, std::shared_ptr<net::http::Responder> responder) {
        CHECK(request.target == "/w/add-checkpoint");
        answers.cosigner->add_checkpoint(
            std::move(request.body),
            [responder](net::http::Response answer) { responder->respond(std::move(answer)); });
      });
};

// A witness that has seen an entry more than this node's log has.
struct AheadWorld {
  AheadWorld() {
    options.interval = std::chrono::milliseconds(5);
    options.timeout = std::chrono::hours(1);
    options.log = [this](node::Notice::Level, const std::string& text) {
      const std::lock_guard lock(mutex);
      lines += text + '\n';
      moved.notify_all();
    };
    options.witnesses = {{witness.self, url_of(*server), ""}};
    log.port.before_read = [this] {
      const std::lock_guard lock(mutex);
      ++reads;
      moved.notify_all();
    };
  }
  std::unique_ptr<node::LogWitnesses> make() {
    auto made = node::LogWitnesses::make(options, log.port, log.reader, memory);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    return std::move(*made);
  }
  void wait_lines(const std::string& text) {
    std::unique_lock lock(mutex);
    moved.wait(lock, [&] { return contains(lines, text); });
  }
  void wait_reads(int count) {
    std::unique_lock lock(mutex);
    moved.wait(lock, [&] { return reads >= count; });
  }

  FinalLog log;
  RunningWitness witness{{}, 0};
  std::mutex mutex;
  std::condition_variable moved;
  std::string lines;
  int reads = 0;
  FakeCosignatures memory;
  node::LogWitnessesOptions options;
  std::unique_ptr<net::http::Server> server =
      serve([](net::http::Request, std::shared_ptr<net::http::Responder> responder) {
        net::http::Response response;
        response.status = 409;
        response.content_type = "text/x.tlog.size";
        response.body = "10\n";
        responder->respond(std::move(response));
      });
};

}  // namespace

TEST_CASE("a witness that never answers holds up neither the others nor the end") {
  World world(1);
  const auto witnesses = world.make();
  CHECK(witnesses->witnessed_size() == 0);
  witnesses->start();
  const auto witnessed = world.memory.wait_witnessed();
  CHECK(witnessed.size == 9);
  const auto note = chain::decode_note(witnessed.note);
  REQUIRE(note.has_value());
  REQUIRE(note->signatures.size() == 2);
  CHECK(chain::verified_cosignature(world.answers.self, note->text, note->signatures[1]));
  witnesses->stop();
  CHECK(witnesses->witnessed_size() == 9);
  CHECK(witnesses->witnessed_note().has_value());
  CHECK(witnesses->report().age.has_value());
  // What was cut off is nobody's fault.
  CHECK(witnesses->report().witnesses.at(0).failed == 0);
  witnesses->stop();
}

TEST_CASE("what cannot be kept does not count") {
  World world(1);
  world.memory.fail();
  const auto witnesses = world.make();
  witnesses->start();
  world.memory.wait_failed();
  witnesses->stop();
  CHECK(witnesses->witnessed_size() == 0);
  CHECK_FALSE(witnesses->witnessed_note().has_value());
  CHECK(contains(world.lines, "do not count until"));
  CHECK(contains(witnesses->report().failure, "the disk is full"));
}

TEST_CASE(
    "a witness that knows more is an alarm once the cluster itself has said that it has less") {
  AheadWorld world;
  const auto witnesses = world.make();
  witnesses->start();
  world.wait_lines("witness ALARM");
  witnesses->stop();
  const auto report = witnesses->report().witnesses.at(0);
  CHECK(report.condition == node::WitnessCondition::kAhead);
  CHECK(contains(report.problem, "up to size 10, and the cluster has 9"));
}

TEST_CASE("a node that hears nothing of the cluster blames nobody for knowing more") {
  AheadWorld world;
  // It heard from its leader just now; the cluster does not confirm what it has.
  world.log.port.how_old = std::chrono::milliseconds(0);
  world.log.port.may_read = false;
  const auto witnesses = world.make();
  witnesses->start();
  world.wait_reads(8);
  witnesses->stop();
  CHECK(witnesses->report().witnesses.at(0).condition == node::WitnessCondition::kUnasked);
  CHECK_FALSE(contains(world.lines, "ALARM"));
}

TEST_CASE("a cluster that never answers holds up no end") {
  AheadWorld world;
  world.log.port.is_mute = true;
  const auto witnesses = world.make();
  witnesses->start();
  world.wait_reads(1);
  witnesses->stop();
  CHECK_FALSE(contains(world.lines, "ALARM"));
}

TEST_CASE("what was kept and cannot be read is told at the start") {
  World world(1);
  world.memory.earlier = {5, chain::UnixMillis{1}, "half a no"};
  world.make();
  CHECK(contains(world.lines, "size 5"));
  CHECK(contains(world.lines, "move cosignatures.db away"));
}

TEST_CASE("an authority's file that cannot be read is named") {
  World world(1);
  world.options.witnesses[0].url = "https://127.0.0.1";
  world.options.witnesses[0].ca_file = "/nonexistent/ca.pem";
  const auto made =
      node::LogWitnesses::make(world.options, world.log.port, world.log.reader, world.memory);
  REQUIRE_FALSE(made.has_value());
  CHECK(contains(made.error().message, "/nonexistent/ca.pem"));
  CHECK(contains(made.error().message, world.silent.self.name));
}
