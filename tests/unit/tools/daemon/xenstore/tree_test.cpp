// Paths, permissions and the copy-on-write tree.
#include <tools/daemon/xenstore/tree.hpp>

#include <tools/daemon/xenstore/store_error.hpp>

#include <gtest/gtest.h>

using namespace tenon::tools;
using namespace tenon::tools::xenstore;

namespace {

Path p(std::string_view text) { return Path::parse(text, 0); }

TEST(Path, RefusesWhatIsNotWellFormed)
{
    for (auto bad : {"", "/a/", "//", "/a//b", "a b", "/a\n", "@event", "/ä", "/a:b"})
        EXPECT_THROW(p(bad), StoreError) << bad;
    EXPECT_THROW(p("/" + std::string(absolute_path_max, 'a')), StoreError);
    EXPECT_THROW(p(std::string(relative_path_max + 1, 'a')), StoreError);
    EXPECT_NO_THROW(p("/" + std::string(absolute_path_max - 1, 'a')));
}

TEST(Path, TakesARelativePathFromTheCallersDomain)
{
    EXPECT_EQ(Path::parse("device/vbd", 7).text(), "/local/domain/7/device/vbd");
    EXPECT_EQ(Path::parse("/device", 7).text(), "/device");
}

TEST(Path, KnowsParentNameAndAncestors)
{
    EXPECT_EQ(p("/a/b").parent(), p("/a"));
    EXPECT_TRUE(p("/a").parent().is_root());
    EXPECT_EQ(p("/a/b").name(), "b");
    EXPECT_TRUE(p("/a/b").is_within(p("/a")));
    EXPECT_TRUE(p("/a").is_within(p("/a")));
    EXPECT_TRUE(p("/a").is_within(Path()));
    EXPECT_FALSE(p("/ab").is_within(p("/a")));
    EXPECT_TRUE(Path().components().empty());
}

TEST(Permissions, ReadsAndWritesTheWireForm)
{
    auto perms = Permissions::parse({"n5", "r0", "b7"});
    EXPECT_EQ(perms.format(), std::string("n5\0r0\0b7\0", 9));
    for (auto bad : {"", "n", "x1", "n-1", "n1x", "n99999"})
        EXPECT_THROW(Permissions::parse({bad}), StoreError) << bad;
    EXPECT_THROW(Permissions::parse({}), StoreError);
}

TEST(Permissions, OwnerAndControlDomainMayDoEverything)
{
    auto perms = Permissions::parse({"n5"});
    EXPECT_TRUE(perms.allow({.domain = 0}, Access::both));
    EXPECT_TRUE(perms.allow({.domain = 5}, Access::both));
    EXPECT_FALSE(perms.allow({.domain = 6}, Access::read));
    EXPECT_TRUE(perms.allow({.domain = 6, .target = 5}, Access::write));
}

TEST(Permissions, AnEntryOfItsOwnOverridesTheDefault)
{
    auto perms = Permissions::parse({"b5", "n6", "r7"});
    EXPECT_TRUE(perms.allow({.domain = 8}, Access::both));
    EXPECT_FALSE(perms.allow({.domain = 6}, Access::read));
    EXPECT_TRUE(perms.allow({.domain = 7}, Access::read));
    EXPECT_FALSE(perms.allow({.domain = 7}, Access::write));
}

TEST(Tree, ACopyDoesNotSeeLaterChanges)
{
    Tree tree;
    tree.add(p("/a"), {"1", {}});
    tree.add(p("/a/b"), {"2", {}});
    Tree before = tree;
    tree.set_content(p("/a/b"), {"3", {}});
    tree.add(p("/a/c"), {"4", {}});
    EXPECT_EQ(before.find(p("/a/b"))->content->value, "2");
    EXPECT_FALSE(before.find(p("/a/c")));
    EXPECT_EQ(tree.find(p("/a/b"))->content->value, "3");
    EXPECT_FALSE(tree.is_same_as(before));
}

TEST(Tree, CountsNodesPerUnprivilegedOwner)
{
    Tree tree;
    auto perms = Permissions::parse({"n5"});
    tree.add(p("/a"), {"", perms});
    tree.add(p("/a/b"), {"", perms});
    tree.add(p("/c"), {"", {}});
    EXPECT_EQ(tree.nodes_owned_by(5), 2u);
    tree.set_content(p("/a/b"), {"", {}});
    EXPECT_EQ(tree.nodes_owned_by(5), 1u);
    tree.remove(p("/a"));
    EXPECT_EQ(tree.nodes_owned_by(5), 0u);
}

TEST(Tree, TheGenerationFollowsTheListOfChildren)
{
    Tree tree;
    auto empty = children_generation(*tree.find(Path()));
    tree.add(p("/a"), {"", {}});
    auto one = children_generation(*tree.find(Path()));
    tree.set_content(p("/a"), {"x", {}});
    EXPECT_NE(empty, one);
    EXPECT_EQ(children_generation(*tree.find(Path())), one);
}

} // namespace
