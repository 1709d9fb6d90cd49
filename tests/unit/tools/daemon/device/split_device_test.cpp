// A device's life in the store, with the test in the part of the backend driver.
#include <tools/daemon/device/split_device.hpp>

#include <gtest/gtest.h>

using namespace tenon::tools;
using namespace std::chrono_literals;

namespace {

class TestDevice : public SplitDevice {
public:
    using SplitDevice::SplitDevice;

    std::string describe() const override { return "test"; }
    std::string module() const override { return "test-backend"; }

    bool can_finish = true;

protected:
    void prepare(Nodes& frontend, Nodes& backend) override
    {
        frontend["kind"] = "disk";
        backend["params"] = "/x";
    }
    bool finish() override { return can_finish; }
};

struct SplitDeviceTest : testing::Test {
    /// Lets the loop do what has come up.
    void settle()
    {
        Loop::Timer end(loop, 5ms, [&] { loop.stop(); });
        loop.run();
    }
    void backend_says(const std::string& state)
    {
        store.write(backend + "/state", state);
        settle();
    }

    Loop loop;
    xenstore::Store store;
    unsigned changes = 0;
    TestDevice device{loop, store, 5, "vbd", 51712, [this] { ++changes; }};
    const std::string frontend = "/local/domain/5/device/vbd/51712";
    const std::string backend = "/local/domain/0/backend/vbd/5/51712";
};

TEST_F(SplitDeviceTest, WritesBothFoldersWithTheRightOwners)
{
    device.start();
    EXPECT_EQ(store.read(frontend + "/backend"), backend);
    EXPECT_EQ(store.read(frontend + "/kind"), "disk");
    EXPECT_EQ(store.read(backend + "/frontend"), frontend);
    EXPECT_EQ(store.read(backend + "/online"), "1");
    auto owner = [&](const std::string& path) { return store.tree().find(xenstore::Path::parse(path, 0))->content->permissions; };
    EXPECT_EQ(owner(frontend + "/state").format(), std::string("n5\0r0\0", 6));
    EXPECT_EQ(owner(backend + "/state").format(), std::string("n0\0r5\0", 6));
}

TEST_F(SplitDeviceTest, IsReadyWhenTheBackendWaitsForTheGuest)
{
    device.start();
    backend_says("1");
    EXPECT_FALSE(device.is_ready());
    device.can_finish = false;
    backend_says("2");
    EXPECT_FALSE(device.is_ready());
    device.can_finish = true;
    backend_says("2");
    EXPECT_TRUE(device.is_ready());
    EXPECT_EQ(changes, 1u);
}

TEST_F(SplitDeviceTest, WaitsForTheBackendToCloseAndLeavesNothing)
{
    device.start();
    backend_says("4");
    device.close();
    EXPECT_FALSE(device.is_closed());
    EXPECT_FALSE(store.read(frontend + "/state"));
    EXPECT_EQ(store.read(backend + "/online"), "0");
    EXPECT_EQ(store.read(backend + "/state"), "5");
    backend_says("6");
    EXPECT_TRUE(device.is_closed());
    device.remove();
    EXPECT_TRUE(store.list("/local/domain/0/backend").empty());
    EXPECT_TRUE(store.list("/local/domain/5/device/vbd").empty());
}

TEST_F(SplitDeviceTest, ABackendThatNeverCameNeedsNoWaiting)
{
    device.start();
    device.close();
    EXPECT_TRUE(device.is_closed());
}

TEST_F(SplitDeviceTest, PassesOnWhatTheDriverComplainsOf)
{
    device.start();
    store.write("/local/domain/0/error/backend/vbd/5/51712/error", "2 no script");
    EXPECT_EQ(device.driver_error(), "2 no script");
    device.remove();
    EXPECT_FALSE(store.read("/local/domain/0/error"));
}

} // namespace
