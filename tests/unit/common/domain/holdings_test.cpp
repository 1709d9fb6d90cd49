// What debug key m says of a domain, and that it adds up.
#include <fake/world.hpp>
#include <tenon/domain/domain.hpp>
#include <tenon/irq/pirq.hpp>

using namespace tenon;
using fake::World;

namespace {

/// The number behind ` name ` in the line that begins with `line`.
u64 said(const std::string& log, const std::string& line, const std::string& name)
{
    std::size_t at = log.find(line);
    EXPECT_NE(at, std::string::npos) << line << " is missing in " << log;
    std::size_t end = at == std::string::npos ? 0 : log.find('\n', at), word = log.find(" " + name + " ", at);
    EXPECT_LT(word, end) << name;
    return word < end ? std::stoull(log.substr(word + name.size() + 2)) : ~u64{0};
}

std::string holdings()
{
    fake::take_log();
    domains::log_holdings();
    return fake::take_log();
}

TEST(Holdings, CountsEveryPagePortAndInterrupt)
{
    World world;
    auto domain = world.start(1, 7, true), other = world.make(1, 9);
    std::string before = holdings();
    for (unsigned i = 0; i < 3; i++)
        ASSERT_TRUE(domains::add_pages(*domain).ok());
    u32 port = *events::alloc_unbound(*domain, other->id);
    ASSERT_TRUE(events::bind_interdomain(*other, *domain, port).ok());
    ASSERT_TRUE(pirqs::reserve(*domain).ok());
    std::string after = holdings();
    EXPECT_EQ(said(after, "d7:", "pages") - said(before, "d7:", "pages"), 3u);
    EXPECT_EQ(said(after, "d7:", "channels") - said(before, "d7:", "channels"), 1u);
    EXPECT_EQ(said(after, "d9:", "channels") - said(before, "d9:", "channels"), 1u);
    EXPECT_EQ(said(after, "d7:", "pirqs") - said(before, "d7:", "pirqs"), 1u);
    EXPECT_EQ(said(after, "d9:", "pirqs"), 0u);
    EXPECT_EQ(said(after, "memory:", "others"), said(before, "memory:", "others"));
    EXPECT_EQ(said(before, "memory:", "free") - said(after, "memory:", "free"), 3u);
}

TEST(Holdings, SeesAFrameThatNobodyKnows)
{
    World world;
    holdings();
    std::string before = holdings();
    Mfn frame = *frame_allocator::allocate(dom_xen, 0);
    std::string after = holdings();
    EXPECT_EQ(said(after, "memory:", "others") - said(before, "memory:", "others"), 1u);
    frame_at(frame).put();
    EXPECT_EQ(said(holdings(), "memory:", "others"), said(before, "memory:", "others"));
}

TEST(Holdings, ADomainThatEndedHasNone)
{
    World world;
    std::string before = holdings();
    auto domain = world.start(2, 7);
    ASSERT_TRUE(domains::add_pages(*domain).ok());
    World::finish(*domain);
    EXPECT_EQ(said(holdings(), "d7:", "pages"), 0u) << "its last reference keeps it in the list";
    domain = DomainRef();
    std::string after = holdings();
    EXPECT_EQ(after.find("d7:"), std::string::npos);
    for (const char* what : {"heap", "others", "domains"})
        EXPECT_EQ(said(after, "memory:", what), said(before, "memory:", what)) << what;
}

} // namespace
