#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <vector>

#include "store/memory_store.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/store_id_file.h"
#include "store_fixture.h"
#include "tests/unit/temporary_directory.h"

// Runs a story against both stores: the one in memory is only useful if it behaves as the one on
// disk.
namespace eventchain::store::testing {

// A store that can be restarted.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Store& store() = 0;
  virtual ChainReader& reader() = 0;
  // A crash of the process: what was not committed is gone.
  virtual void restart() = 0;
};

class MemorySubject : public Subject {
 public:
  Store& store() override { return store_; }
  ChainReader& reader() override { return store_; }
  void restart() override { store_.crash(); }

 private:
  MemoryStore store_{small_genesis()};
};

// A data directory as a node finds it that has never run.
class DataDirectory : public TemporaryDirectory {
 public:
  DataDirectory() { REQUIRE(write_store_id(path(), small_disk())); }
};

class SqliteSubject : public Subject {
 public:
  SqliteSubject() { open(); }
  Store& store() override { return *store_; }
  ChainReader& reader() override { return *reader_; }
  void restart() override {
    reader_.reset();
    store_.reset();
    open();
  }

 private:
  void open() {
    auto store = open_store(directory_.file("chain.db"), small_genesis(), small_disk());
    REQUIRE_MESSAGE(store, store.error().message);
    store_ = std::move(*store);
    store_->chain().recover();
    auto reader = open_reader(directory_.file("chain.db"), small_genesis(), 2);
    REQUIRE_MESSAGE(reader, reader.error().message);
    reader_ = std::move(*reader);
  }

  DataDirectory directory_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SqliteReader> reader_;
};

inline void with_both(const std::function<void(Subject&)>& story) {
  SUBCASE("in memory") {
    MemorySubject subject;
    story(subject);
  }
  SUBCASE("in SQLite") {
    SqliteSubject subject;
    story(subject);
  }
}

inline void put(Subject& subject, const std::vector<chain::HeldEvent>& events) {
  turn(subject.store(), [&] {
    for (const chain::HeldEvent& event : events) subject.store().chain().put_event(event);
  });
}

inline void apply(Subject& subject, const BlockApplication& application) {
  turn(subject.store(), [&] { subject.store().chain().apply_block(application); });
}

}  // namespace eventchain::store::testing
