// The wire protocol, end to end: messages in, messages out, over a domain's ring in ordinary memory.
#include <tools/daemon/xenstore/ring_client.hpp>

#include <cstring>
#include <gtest/gtest.h>

using namespace tenon::tools;
using namespace tenon::tools::xenstore;
using namespace std::string_literals;

namespace {

struct FakeDomains : DomainDirectory {
    void introduce(DomainId domain, std::uint64_t, EventPort) override { known.push_back(domain); }
    void release(DomainId) override { known.clear(); }
    bool is_introduced(DomainId domain) const override { return !known.empty() && known.back() == domain; }
    void set_target(DomainId, DomainId) override {}

    std::vector<DomainId> known;
};

/// The guest's end of a ring.
struct Peer {
    Peer(Service& service, DomainId domain) : client(service, {.domain = domain}, ring, [this] { ++notified; }) {}

    void send(MessageType type, const std::string& payload, std::uint32_t transaction = 0)
    {
        Message message{{type, ++request, transaction, 0}, payload};
        write(message.encode());
    }
    void write(const std::string& bytes)
    {
        for (char c : bytes) {
            if (ring.req_prod - ring.req_cons == sizeof ring.req)
                pump();
            ring.req[ring.req_prod++ % sizeof ring.req] = c;
        }
        pump();
    }
    void pump()
    {
        while (client.process()) {
        }
        do
            for (; ring.rsp_cons != ring.rsp_prod; ++ring.rsp_cons)
                reader.add({&ring.rsp[ring.rsp_cons % sizeof ring.rsp], 1});
        while (client.process() || ring.rsp_cons != ring.rsp_prod);
    }
    Message next() { return reader.next().value_or(Message{{MessageType::error, 0, 0, 0}, "nothing came"}); }
    std::string ask(MessageType type, const std::string& payload, std::uint32_t transaction = 0)
    {
        send(type, payload, transaction);
        auto message = next();
        EXPECT_TRUE(message.header.type == type || message.header.type == MessageType::error);
        EXPECT_EQ(message.header.request, request);
        EXPECT_EQ(message.header.transaction, transaction);
        return message.payload;
    }

    xenstore_domain_interface ring{};
    unsigned notified = 0;
    std::uint32_t request = 100;
    MessageReader reader;
    RingClient client;
};

struct ServiceTest : testing::Test {
    Store store;
    FakeDomains domains;
    Service service{store, domains};
    Peer dom0{service, 0}, guest{service, 5};
};

const auto ok = "OK\0"s;

TEST_F(ServiceTest, WritesReadsListsAndRemoves)
{
    EXPECT_EQ(dom0.ask(MessageType::write, "/a/b\0value"s), ok);
    EXPECT_EQ(dom0.ask(MessageType::read, "/a/b\0"s), "value");
    EXPECT_EQ(dom0.ask(MessageType::mkdir, "/a/c\0"s), ok);
    EXPECT_EQ(dom0.ask(MessageType::directory, "/a\0"s), "b\0c\0"s);
    EXPECT_EQ(dom0.ask(MessageType::rm, "/a\0"s), ok);
    EXPECT_EQ(dom0.ask(MessageType::read, "/a/b\0"s), "ENOENT\0"s);
}

TEST_F(ServiceTest, RefusesUnknownAndMalformedRequests)
{
    EXPECT_EQ(dom0.ask(static_cast<MessageType>(99), ""), "ENOSYS\0"s);
    EXPECT_EQ(dom0.ask(MessageType::read, "no NUL"), "EINVAL\0"s);
    EXPECT_EQ(dom0.ask(MessageType::write, ""), "EINVAL\0"s);
    EXPECT_EQ(dom0.ask(MessageType::set_perms, "/\0q1\0"s), "EINVAL\0"s);
    EXPECT_EQ(dom0.ask(MessageType::transaction_end, "T\0"s, 77), "ENOENT\0"s);
    EXPECT_EQ(dom0.ask(MessageType::read, "/\0"s, 77), "ENOENT\0"s);
}

TEST_F(ServiceTest, GuestsMayNotDoWhatIsForTheControlDomain)
{
    for (auto type : {MessageType::introduce, MessageType::release, MessageType::set_target, MessageType::control})
        EXPECT_EQ(guest.ask(type, "7\0001\0002\0"s), "EACCES\0"s);
    EXPECT_EQ(dom0.ask(MessageType::introduce, "7\0001\0002\0"s), ok);
    EXPECT_EQ(guest.ask(MessageType::is_domain_introduced, "7\0"s), "T\0"s);
    EXPECT_EQ(guest.ask(MessageType::get_domain_path, "7\0"s), "/local/domain/7\0"s);
}

TEST_F(ServiceTest, AWatchIsAnsweredThenFiresOnceThenOnChanges)
{
    EXPECT_EQ(dom0.ask(MessageType::watch, "/a\0token\0"s), ok);
    auto first = dom0.next();
    EXPECT_EQ(first.header.type, MessageType::watch_event);
    EXPECT_EQ(first.payload, "/a\0token\0"s);
    EXPECT_EQ(dom0.ask(MessageType::write, "/a/x\0001"s), ok);
    EXPECT_EQ(dom0.next().payload, "/a/x\0token\0"s);
    EXPECT_EQ(dom0.ask(MessageType::unwatch, "/a\0token\0"s), ok);
    EXPECT_EQ(dom0.ask(MessageType::unwatch, "/a\0token\0"s), "ENOENT\0"s);
}

TEST_F(ServiceTest, TransactionsConflictOnTheWire)
{
    EXPECT_EQ(dom0.ask(MessageType::write, "/n\0001"s), ok);
    auto id = static_cast<std::uint32_t>(std::stoul(dom0.ask(MessageType::transaction_start, "\0"s)));
    EXPECT_EQ(dom0.ask(MessageType::read, "/n\0"s, id), "1");
    EXPECT_EQ(dom0.ask(MessageType::write, "/m\0002"s, id), ok);
    EXPECT_EQ(dom0.ask(MessageType::write, "/n\0003"s), ok);
    EXPECT_EQ(dom0.ask(MessageType::transaction_end, "T\0"s, id), "EAGAIN\0"s);
    EXPECT_EQ(dom0.ask(MessageType::read, "/m\0"s), "ENOENT\0"s);
}

TEST_F(ServiceTest, ALongDirectoryComesInParts)
{
    std::string expected;
    for (unsigned i = 0; i < 900; ++i) {
        auto name = "a-rather-long-name-" + std::to_string(1000 + i);
        store.write("/big/" + name, "");
        expected += name + '\0';
    }
    EXPECT_EQ(dom0.ask(MessageType::directory, "/big\0"s), "E2BIG\0"s);
    std::string all;
    std::size_t parts = 0;
    for (bool more = true; more; ++parts) {
        auto reply = dom0.ask(MessageType::directory_part, "/big\0"s + std::to_string(all.size()) + '\0');
        auto names = reply.substr(reply.find('\0') + 1);
        more = !names.ends_with("\0\0"s) && names != "\0"s;
        all += more ? names : names.substr(0, names.size() - 1);
        ASSERT_LE(reply.size(), payload_max);
        ASSERT_LT(parts, 20u);
    }
    EXPECT_EQ(all, expected);
    EXPECT_GT(parts, 3u);
}

TEST_F(ServiceTest, LimitsStopAGuest)
{
    store.write("/local/domain/5/data", "", Permissions::parse({"n5"}));
    for (unsigned i = 0; i < store.limits.transactions; ++i)
        EXPECT_NE(guest.ask(MessageType::transaction_start, "\0"s), "ENOSPC\0"s);
    EXPECT_EQ(guest.ask(MessageType::transaction_start, "\0"s), "ENOSPC\0"s);
    EXPECT_EQ(guest.ask(MessageType::reset_watches, "\0"s), ok);
    for (unsigned i = 0; i < store.limits.watches; ++i) {
        EXPECT_EQ(guest.ask(MessageType::watch, "data\0"s + std::to_string(i) + '\0'), ok);
        guest.next();
    }
    EXPECT_EQ(guest.ask(MessageType::watch, "data\0one-more\0"s), "E2BIG\0"s);
}

TEST_F(ServiceTest, AGuestThatNeverReadsIsNotAnsweredWithoutEnd)
{
    store.write("/local/domain/5/data", std::string(1000, 'x'), Permissions::parse({"n5"}));
    for (unsigned i = 0; i < 100'000; ++i) {
        Message message{{MessageType::read, i, 0, 0}, "data\0"s};
        auto bytes = message.encode();
        if (guest.ring.req_prod - guest.ring.req_cons + bytes.size() > sizeof guest.ring.req)
            break; // nobody takes requests any more
        for (char c : bytes)
            guest.ring.req[guest.ring.req_prod++ % sizeof guest.ring.req] = c;
        guest.client.process();
    }
    EXPECT_LT(guest.client.pending_bytes(), 200'000u);
    for (unsigned i = 0; i < 100'000; ++i)
        guest.client.watch_event("data", "t");
    EXPECT_LT(guest.client.pending_bytes(), store.limits.pending_bytes + 1000);
}

TEST_F(ServiceTest, ARingWithWrongIndicesIsShutDownUntilItReconnects)
{
    guest.ring.req_prod = guest.ring.req_cons + 5000;
    guest.client.process();
    EXPECT_EQ(guest.ring.error, static_cast<std::uint32_t>(XENSTORE_ERROR_RINGIDX));
    guest.ring.connection = XENSTORE_RECONNECT;
    guest.client.process();
    EXPECT_EQ(guest.ring.connection, static_cast<std::uint32_t>(XENSTORE_CONNECTED));
    EXPECT_EQ(guest.ask(MessageType::get_domain_path, "5\0"s), "/local/domain/5\0"s);
}

TEST_F(ServiceTest, AMessageThatIsTooLongEndsTheConnection)
{
    Header header{MessageType::read, 1, 0, 5000};
    guest.write({reinterpret_cast<char*>(&header), sizeof header});
    EXPECT_EQ(guest.ring.error, static_cast<std::uint32_t>(XENSTORE_ERROR_PROTO));
}

TEST_F(ServiceTest, SurvivesRandomBytes)
{
    std::uint32_t state = 1;
    auto random = [&] { return state = state * 1664525 + 1013904223; };
    for (unsigned round = 0; round < 2000; ++round) {
        Message message{{static_cast<MessageType>(random() >> 24 & 31), round, random() >> 30, 0}, {}};
        for (unsigned n = random() >> 26; n != 0; --n)
            message.payload += "\0/ab@1n5T-"[random() >> 24 & 7];
        guest.write(message.encode());
        while (guest.reader.next()) {
        }
    }
    EXPECT_EQ(guest.ring.error, 0u);
}

} // namespace
