#include <gtest/gtest.h>
#include <tenon/device/serial.hpp>

using namespace tenon;

TEST(SerialOptions, EmptyTextKeepsTheDefaults)
{
    auto o = serial::parse("", 0x2f8, 3);
    ASSERT_TRUE(o.ok());
    EXPECT_EQ(o->baud, 115200u);
    EXPECT_EQ(o->port, 0x2f8);
    EXPECT_EQ(o->irq, 3u);
    EXPECT_EQ(o->line_control, 3);
}

TEST(SerialOptions, TakesEveryFieldOfAPortUart)
{
    auto o = serial::parse("9600,7e2,0x3e8,10", 0x3f8, 4);
    ASSERT_TRUE(o.ok());
    EXPECT_EQ(o->baud, 9600u);
    EXPECT_EQ(o->line_control, 0x02 | 0x18 | 0x04);
    EXPECT_EQ(o->port, 0x3e8);
    EXPECT_EQ(o->irq, 10u);
    EXPECT_FALSE(o->is_pci);
}

TEST(SerialOptions, LeavesFieldsOutBetweenCommas)
{
    auto o = serial::parse(",,0x3e8", 0x3f8, 4);
    ASSERT_TRUE(o.ok());
    EXPECT_EQ(o->baud, 115200u);
    EXPECT_EQ(o->port, 0x3e8);
    EXPECT_EQ(o->irq, 4u);
    o = serial::parse("auto,,,0", 0x3f8, 4);
    ASSERT_TRUE(o.ok());
    EXPECT_EQ(o->baud, 0u);
    EXPECT_EQ(o->irq, 0u);
}

TEST(SerialOptions, NamesAPciDevice)
{
    auto o = serial::parse("115200,8n1,pci", 0x3f8, 4);
    ASSERT_TRUE(o.ok());
    EXPECT_TRUE(o->is_pci);
    EXPECT_FALSE(o->names_device);
    EXPECT_EQ(o->irq, 0u);
    o = serial::parse("115200,8n1,pci,,02:1f.3", 0x3f8, 4);
    ASSERT_TRUE(o.ok());
    EXPECT_TRUE(o->names_device);
    EXPECT_EQ(o->bus, 2);
    EXPECT_EQ(o->devfn, 0x1f << 3 | 3);
}

TEST(SerialOptions, RefusesWhatItDoesNotUnderstand)
{
    for (const char* text : {"115200,8x1", "115200,9n1", "115200,8n3", "115200,8n", "fast", "115200,8n1,0x", "115200,8n1,0x12345",
                             "9999999", "115200,8n1,pci,,02:20.0", "115200,8n1,0x3f8,4,02:1.0,x", "115200 8n1"})
        EXPECT_FALSE(serial::parse(text, 0x3f8, 4).ok()) << text;
    EXPECT_EQ(serial::parse("none", 0x3f8, 4).error(), Error::nodev);
}
