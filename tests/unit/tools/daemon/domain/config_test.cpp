// Configuration files: what is understood, and how errors name the place.
#include <tools/daemon/domain/config.hpp>

#include <gtest/gtest.h>

using namespace tenon::tools;

namespace {

constexpr auto minimal = "name='g'\nmemory=128\nkernel='/k'\n";

DomainConfig parse(const std::string& text) { return DomainConfig::parse(text, "g.cfg", "/home"); }

std::string error_of(const std::string& text)
{
    try {
        parse(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(Config, UnderstandsWhatPeopleWrite)
{
    auto config = parse(R"(# a guest
name = "web-1"; memory = 256
maxmem = 512
vcpus = '2'; weight = 512; cap = 150
kernel = "/boot/vmlinuz"
ramdisk = "initrd.img"     # beside the file
root = "/dev/xvda1 ro"
extra = 'console=hvc0 quoted="x"'
disk = [ 'phy:/dev/vg/web,xvda,w',
         '/srv/data.img,raw,xvdb,ro',
         'format=raw, vdev=xvdc, access=rw, target=/srv/more.img', ]
vif = [ 'mac=00:16:3e:01:02:03,bridge=br0', '' ]
on_crash = "preserve"
)");
    EXPECT_EQ(config.name, "web-1");
    EXPECT_EQ(config.memory_mib, 256u);
    EXPECT_EQ(config.max_memory_mib, 512u);
    EXPECT_EQ(config.vcpus, 2u);
    EXPECT_EQ(config.cpu_share.weight, 512);
    EXPECT_EQ(config.cpu_share.cap, 150);
    EXPECT_EQ(config.ramdisk, "/home/initrd.img");
    EXPECT_EQ(config.command_line, "root=/dev/xvda1 ro console=hvc0 quoted=\"x\"");
    ASSERT_EQ(config.disks.size(), 3u);
    EXPECT_EQ(config.disks[0].target, "/dev/vg/web");
    EXPECT_EQ(config.disks[0].virtual_device, 51712u);
    EXPECT_TRUE(config.disks[0].writable);
    EXPECT_FALSE(config.disks[1].writable);
    EXPECT_EQ(config.disks[2].name, "xvdc");
    ASSERT_EQ(config.vifs.size(), 2u);
    EXPECT_EQ(config.vifs[0].bridge, "br0");
    EXPECT_TRUE(config.vifs[1].mac.starts_with("00:16:3e:"));
    EXPECT_EQ(config.on_reboot, EndAction::restart);
    EXPECT_EQ(config.on_crash, EndAction::preserve);
}

TEST(Config, NamesFileLineAndKey)
{
    EXPECT_EQ(error_of("name='g'\n\nmemory = 'lots'\nkernel='/k'"), "g.cfg:3: memory: expected a number");
    EXPECT_EQ(error_of("memory=128\nkernel='/k'"), "g.cfg: name: is missing");
    EXPECT_EQ(error_of("name='g'\nmemory=1\nkernel='/k'"), "g.cfg:2: memory: 1 is out of range (4 to 1048576)");
    EXPECT_EQ(error_of("name='g'\nname='h'"), "g.cfg:2: name: given twice");
    EXPECT_EQ(error_of("a = 'open\n"), "g.cfg:1: a string lacks its closing quote");
    EXPECT_EQ(error_of("a = [ 'x',\n'y',\n"), "g.cfg:3: a list lacks its closing bracket");
    EXPECT_EQ(error_of("a b"), "g.cfg:1: a: expected '=' after the key");
    EXPECT_EQ(error_of(std::string(minimal) + "disk=['/f,qcow2,xvda,w']"),
              "g.cfg:4: disk: item 1: unknown format 'qcow2' (only raw is supported)");
    EXPECT_EQ(error_of(std::string(minimal) + "disk=['/f,raw,xvda,w','/h,raw,xvda,w']"), "g.cfg:4: disk: 'xvda' is used twice");
    EXPECT_EQ(error_of(std::string(minimal) + "vif=['mac=1:2']"), "g.cfg:4: vif: item 1: '1:2' is no MAC address (00:16:3e:xx:xx:xx)");
    EXPECT_EQ(error_of(std::string(minimal) + "type='hvm'"), "g.cfg:4: type: 'hvm' guests are not supported, only 'pv'");
    EXPECT_EQ(error_of(std::string(minimal) + "on_crash='dance'"), "g.cfg:4: on_crash: 'dance' is not one of destroy, restart, preserve");
}

TEST(Config, TakesAUuidOrMakesOneUp)
{
    std::string uuid = "01234567-89ab-4def-8123-456789abcdef";
    EXPECT_EQ(format_uuid(parse(minimal + ("uuid='" + uuid + "'")).uuid), uuid);
    EXPECT_NE(parse(minimal).uuid, parse(minimal).uuid);
    EXPECT_EQ(error_of(std::string(minimal) + "uuid='12-34'"), "g.cfg:4: uuid: '12-34' is no UUID");
}

TEST(Config, WarnsOfKeysItDoesNotKnow)
{
    auto config = parse(std::string(minimal) + "vfb=['vnc=1']\n");
    EXPECT_EQ(config.warnings, std::vector<std::string>{"g.cfg:4: vfb: not known, ignored"});
}

TEST(Config, NumbersDisksAsTheProtocolDoes)
{
    EXPECT_EQ(virtual_device_number("xvda"), 202u << 8);
    EXPECT_EQ(virtual_device_number("xvdb3"), (202u << 8) + 16 + 3);
    EXPECT_EQ(virtual_device_number("xvdq"), (1u << 28) + (16u << 8));
    EXPECT_EQ(virtual_device_number("sda1"), (8u << 8) + 1);
    EXPECT_EQ(virtual_device_number("hdc"), 22u << 8);
    for (auto bad : {"", "xvd", "xvda0", "xvd1", "vda", "xvda999", "sdz99", "xvdabc"})
        EXPECT_THROW(virtual_device_number(bad), Error) << bad;
}

} // namespace
