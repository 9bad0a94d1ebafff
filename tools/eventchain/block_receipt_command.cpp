#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "node/api/receipt_json.h"
#include "node/genesis_json.h"
#include "tools/eventchain/block_source.h"
#include "tools/eventchain/checkpoint_file.h"
#include "tools/eventchain/files.h"

namespace eventchain::tools {

namespace {

struct Getting {
  std::uint64_t height = 0;
  std::string out, data, genesis, checkpoint;
  bool newest = false;
};

void get_receipt(Session& session, const Getting& wanted) {
  store::ReceiptShape shape;
  if (wanted.newest) shape.end = store::ReceiptEnd::kNewest;
  if (!wanted.checkpoint.empty())
    shape.log_size = value_or_stop(read_checkpoint_file(wanted.checkpoint)).size;
  if (!wanted.data.empty() && wanted.genesis.empty())
    throw CommandFailed{Exit::kUsage, "--data wants --genesis too: a database is read by its file"};
  const auto source =
      wanted.data.empty()
          ? cluster_source(session)
          : cold_source(wanted.data, value_or_stop(node::load_genesis(wanted.genesis)));
  const SourceAnswer answer = source->receipt(chain::Height{wanted.height}, shape);
  switch (answer.state) {
    case SourceAnswer::State::kReceipt:
      break;
    case SourceAnswer::State::kNotYet:
      throw CommandFailed{Exit::kNotYet, answer.text};
    case SourceAnswer::State::kUnreachable:
      throw CommandFailed{Exit::kUnreachable, answer.text};
    case SourceAnswer::State::kRefused:
    case SourceAnswer::State::kCheckpoint:
      throw CommandFailed{Exit::kError, answer.text};
  }
  // A node could answer with the receipt of another block, which would hold as well.
  const chain::Receipt receipt = value_or_stop(node::api::parse_receipt(answer.text));
  if (!chain::is_of_block(receipt) || receipt.block.header.height.value != wanted.height)
    throw CommandFailed{Exit::kTampered,
                        fmt::format("the answer is no receipt of block {}; ask another node, and "
                                    "look at this one",
                                    wanted.height)};
  if (!wanted.out.empty())
    return value_or_stop(replace_file(wanted.out, answer.text + "\n", Secrecy::kPublic));
  std::cout << answer.text << '\n';
  if (!std::cout.flush()) throw CommandFailed{Exit::kError, "cannot write the receipt"};
}

}  // namespace

void add_block_receipt_command(CLI::App& chain, Session& session) {
  const auto wanted = std::make_shared<Getting>();
  CLI::App* command = chain.add_subcommand(
      "receipt",
      "what proves to anybody, offline, which block stands at a height; exit code 4 if there is "
      "none yet");
  command->add_option("HEIGHT", wanted->height, "from 1 on")->required();
  command->add_option("--out", wanted->out, "a file; standard output otherwise")->type_name("FILE");
  command->add_flag("--newest", wanted->newest,
                    "end with the newest certificate, which tells all the work since");
  command
      ->add_option("--checkpoint", wanted->checkpoint,
                   "with a path to the log of this checkpoint, so that the two can be compared")
      ->type_name("FILE");
  command
      ->add_option("--data", wanted->data,
                   "from the data directory of a stopped node, or a copy of one")
      ->type_name("DIR");
  command->add_option("--genesis", wanted->genesis, "the genesis file, with --data")
      ->type_name("FILE");
  command->callback([wanted, &session] { get_receipt(session, *wanted); });
}

}  // namespace eventchain::tools
