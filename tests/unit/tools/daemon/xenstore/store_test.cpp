// Permissions, limits, watches and transactions of the store.
#include <tools/daemon/xenstore/store.hpp>

#include <tools/daemon/xenstore/store_error.hpp>

#include <gtest/gtest.h>

using namespace tenon::tools;
using namespace tenon::tools::xenstore;

namespace {

Path p(std::string_view text) { return Path::parse(text, 0); }

template <class F> int refusal(F f)
{
    try {
        f();
    } catch (const StoreError& error) {
        return error.number();
    }
    return 0;
}

struct Recorder : WatchSink {
    explicit Recorder(DomainId domain = 0) : who{.domain = domain} {}
    Caller caller() const override { return who; }
    void watch_event(std::string_view path, std::string_view token) override
    {
        events.push_back(std::string(path) + " " + std::string(token));
    }
    std::vector<std::string> take() { return std::exchange(events, {}); }

    Caller who;
    std::vector<std::string> events;
};

using Events = std::vector<std::string>;

struct StoreTest : testing::Test {
    StoreTest()
    {
        store.write("/local/domain/5", "", Permissions::parse({"n0", "r5"}));
        store.write("/local/domain/5/data", "", Permissions::parse({"n5"}));
        store.write("/secret", "x");
    }
    TreeAccess as(DomainId domain) { return store.access({.domain = domain}, changes); }

    Store store;
    std::vector<Change> changes;
};

TEST_F(StoreTest, AWriteMakesMissingAncestorsOwnedByTheWriter)
{
    as(5).write(Path::parse("data/a/b", 5), "v");
    EXPECT_EQ(store.read("/local/domain/5/data/a/b"), "v");
    EXPECT_EQ(as(0).permissions(p("/local/domain/5/data/a")).owner(), 5);
    EXPECT_EQ(store.tree().nodes_owned_by(5), 3u);
}

TEST_F(StoreTest, RefusesWhatTheCallerMayNotDo)
{
    EXPECT_EQ(refusal([&] { as(5).read(p("/secret")); }), EACCES);
    EXPECT_EQ(refusal([&] { as(5).read(p("/secret/deep")); }), EACCES);
    EXPECT_EQ(refusal([&] { as(5).read(p("/local/domain/5/none")); }), ENOENT);
    EXPECT_EQ(refusal([&] { as(5).write(p("/local/domain/5/name"), "x"); }), EACCES);
    EXPECT_EQ(refusal([&] { as(5).remove(p("/secret")); }), EACCES);
    EXPECT_EQ(refusal([&] { as(6).write(p("/local/domain/5/data/x"), "x"); }), EACCES);
    auto steal = Permissions::parse({"n6"});
    EXPECT_EQ(refusal([&] { as(5).set_permissions(p("/local/domain/5/data"), steal); }), EPERM);
    EXPECT_EQ(refusal([&] { as(5).set_permissions(p("/secret"), steal); }), EACCES);
}

TEST_F(StoreTest, RemovalIsIdempotentButNeedsTheParent)
{
    EXPECT_EQ(refusal([&] { as(0).remove(p("/nothing")); }), 0);
    EXPECT_EQ(refusal([&] { as(0).remove(p("/nothing/here")); }), ENOENT);
    EXPECT_EQ(refusal([&] { as(0).remove(Path()); }), EINVAL);
}

TEST_F(StoreTest, LimitsHoldForGuestsOnly)
{
    store.limits.nodes = 3;
    as(5).write(Path::parse("data/a", 5), "");
    EXPECT_EQ(refusal([&] { as(5).write(Path::parse("data/b/c", 5), ""); }), ENOSPC);
    as(5).write(Path::parse("data/b", 5), "");
    EXPECT_EQ(refusal([&] { as(5).write(Path::parse("data/c", 5), ""); }), ENOSPC);
    EXPECT_EQ(refusal([&] { as(5).write(Path::parse("data/a", 5), std::string(3000, 'x')); }), ENOSPC);
    EXPECT_EQ(refusal([&] { as(0).write(p("/big/deep/path/x"), std::string(3000, 'x')); }), 0);
}

TEST_F(StoreTest, WatchesHearOfThePathAndAllBelow)
{
    Recorder root, guest(5);
    store.watches().add(root, "/local", "t");
    store.watches().add(guest, "data", "g");
    store.write("/local/domain/5/data/x", "1");
    EXPECT_EQ(root.take(), Events{"/local/domain/5/data/x t"});
    EXPECT_EQ(guest.take(), Events{"data/x g"});
    store.write("/other", "1");
    EXPECT_TRUE(root.take().empty());
}

TEST_F(StoreTest, RemovalIsToldToWatchesBelow)
{
    Recorder sink;
    store.write("/a/b/c", "1");
    store.watches().add(sink, "/a/b/c", "deep");
    store.watches().add(sink, "/a/b/none", "absent");
    store.remove("/a");
    EXPECT_EQ(sink.take(), Events{"/a/b/c deep"});
}

TEST_F(StoreTest, AGuestHearsNothingOfWhatItMayNotRead)
{
    Recorder guest(5);
    store.watches().add(guest, "/secret", "t");
    store.watches().add(guest, "@releaseDomain", "t");
    store.write("/secret", "y");
    store.announce_special("@releaseDomain");
    store.remove("/secret");
    EXPECT_TRUE(guest.take().empty());
    store.set_special_permissions("@releaseDomain", Permissions::parse({"n0", "r5"}));
    store.announce_special("@releaseDomain");
    EXPECT_EQ(guest.take(), Events{"@releaseDomain t"});
}

TEST_F(StoreTest, WatchesAreUniqueAndCanBeTakenBack)
{
    Recorder a, b;
    store.watches().add(a, "/x", "t");
    store.watches().add(b, "/x", "t");
    EXPECT_EQ(refusal([&] { store.watches().add(a, "/x", "t"); }), EEXIST);
    EXPECT_EQ(refusal([&] { store.watches().remove(a, "/x", "u"); }), ENOENT);
    store.watches().remove(a, "/x", "t");
    store.write("/x", "1");
    EXPECT_TRUE(a.take().empty());
    EXPECT_EQ(b.take().size(), 1u);
    store.watches().remove_all(b);
    EXPECT_EQ(store.watches().count(b), 0u);
}

TEST_F(StoreTest, ATransactionIsInvisibleUntilItCommits)
{
    Recorder sink;
    store.watches().add(sink, "/t", "t");
    auto t = store.begin();
    store.access(Caller{}, t).write(p("/t"), "1");
    EXPECT_FALSE(store.read("/t"));
    EXPECT_EQ(store.access(Caller{}, t).read(p("/t")), "1");
    store.announce(store.commit(Caller{}, std::move(t)));
    EXPECT_EQ(store.read("/t"), "1");
    EXPECT_EQ(sink.take(), Events{"/t t"});
}

TEST_F(StoreTest, AConflictIsRefusedAndLeavesNoTrace)
{
    store.write("/n", "1");
    auto t = store.begin();
    EXPECT_EQ(store.access(Caller{}, t).read(p("/n")), "1");
    store.access(Caller{}, t).write(p("/m"), "2");
    store.write("/n", "9");
    EXPECT_EQ(refusal([&] { store.commit(Caller{}, std::move(t)); }), EAGAIN);
    EXPECT_FALSE(store.read("/m"));
}

TEST_F(StoreTest, TransactionsOnDifferentNodesBothCommit)
{
    auto a = store.begin();
    auto b = store.begin();
    store.access(Caller{}, a).write(p("/d/a"), "1");
    store.access(Caller{}, b).write(p("/e/b"), "2");
    store.commit(Caller{}, std::move(a));
    store.commit(Caller{}, std::move(b));
    EXPECT_EQ(store.read("/d/a"), "1");
    EXPECT_EQ(store.read("/e/b"), "2");
}

TEST_F(StoreTest, AListedDirectoryConflictsWithANewChild)
{
    store.write("/d/a", "");
    auto t = store.begin();
    store.access(Caller{}, t).directory(p("/d"));
    store.access(Caller{}, t).write(p("/z"), "");
    store.write("/d/b", "");
    EXPECT_EQ(refusal([&] { store.commit(Caller{}, std::move(t)); }), EAGAIN);
}

TEST_F(StoreTest, AnAbsentNodeThatAppearsIsAConflict)
{
    auto t = store.begin();
    EXPECT_EQ(refusal([&] { store.access(Caller{}, t).read(p("/late")); }), ENOENT);
    store.access(Caller{}, t).write(p("/z"), "");
    store.write("/late", "");
    EXPECT_EQ(refusal([&] { store.commit(Caller{}, std::move(t)); }), EAGAIN);
}

} // namespace
