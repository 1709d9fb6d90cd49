// The scheduler's promises, in virtual time: shares, caps, latency, idle CPUs, and what a decision costs on large machines.
#include "schedule_machine.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace sim;

namespace {

unsigned failures;

void expect(bool holds, const char* what, double value, const char* unit)
{
    std::printf("%s %-66s %10.3f %s\n", holds ? "ok  " : "FAIL", what, value, unit);
    failures += !holds;
}

u64 percentile(std::vector<u64> all, double part)
{
    if (all.empty())
        return 0;
    std::sort(all.begin(), all.end());
    return all[std::min(all.size() - 1, std::size_t(double(all.size()) * part))];
}

double seconds_of(Machine& m, Domain& domain)
{
    u64 sum = 0;
    domain.for_each_vcpu([&](Vcpu& v) { sum += m.cpu_time(v); });
    return double(sum) / second;
}

void weights()
{
    for (unsigned cpus : {1u, 2u, 8u}) {
        Machine m(cpus);
        Domain &light = m.add_domain(cpus, 256), &heavy = m.add_domain(cpus, 512);
        m.run_until(60 * second);
        char what[80];
        std::snprintf(what, sizeof what, "weights 1:2 on %u CPUs, two spinning guests of as many vCPUs", cpus);
        double ratio = seconds_of(m, heavy) / seconds_of(m, light);
        expect(std::abs(ratio - 2) <= 0.02, what, ratio, ": 1");
    }
}

void caps()
{
    for (unsigned vcpus : {1u, 4u}) {
        Machine m(4);
        Domain& capped = m.add_domain(vcpus, 256, 25);
        m.run_until(60 * second);
        double share = seconds_of(m, capped) / 60 * 100;
        expect(std::abs(share - 25) <= 0.25, vcpus == 1 ? "cap of 25 %, one vCPU alone" : "cap of 25 %, four vCPUs on four CPUs", share,
               "%");
    }
    Machine m(1);
    Domain &capped = m.add_domain(1, 256, 25), &other = m.add_domain(1);
    m.run_until(60 * second);
    expect(std::abs(seconds_of(m, capped) - 15) <= 0.15, "cap of 25 % beside a spinner", seconds_of(m, capped) / 60 * 100, "%");
    expect(seconds_of(m, other) > 44.5, "and the spinner has the rest", seconds_of(m, other) / 60 * 100, "%");
}

/// Everybody's share of a full machine, against the ideal: all CPUs divided by weight.
void shares(unsigned cpus, unsigned vcpus)
{
    Machine m(cpus);
    double sum = 0, worst = 0, error = 0;
    for (unsigned i = 0; i < vcpus / 4; i++) {
        u16 weight = u16(128 << m.random() % 4);
        m.add_domain(4, weight);
        sum += 4 * weight;
    }
    m.run_until(5 * second);
    std::vector<u64> before;
    for (auto& d : m.domains())
        d->for_each_vcpu([&](Vcpu& v) { before.push_back(m.cpu_time(v)); });
    m.forget();
    m.run_until(35 * second);
    auto old = before.begin();
    for (auto& d : m.domains()) {
        double had = 0, fair = 30.0 * cpus * d->weight * 4 / sum;
        d->for_each_vcpu([&](Vcpu& v) { had += double(m.cpu_time(v) - *old++) / second; });
        worst = std::max(worst, std::abs(had / fair - 1) * 100);
        error += std::abs(had / fair - 1) * 100 / double(m.domains().size());
    }
    std::printf("     %u vCPUs in %zu guests of four weights on %u CPUs, 30 s:\n", vcpus, m.domains().size(), cpus);
    expect(error <= 1, "a guest's share differs from the ideal one by, on average", error, "%");
    expect(worst <= 3, "at most by", worst, "%");
    std::printf("     moves between CPUs, for each CPU and second: %.1f\n", double(m.migrations) / cpus / 30);
}

void latency()
{
    for (unsigned cpus : {1u, 8u}) {
        Machine m(cpus);
        for (unsigned i = 0; i < 8; i++)
            m.add_domain(cpus);
        Domain& sleeper = m.add_domain(1);
        m.run_until(second);
        m.set_life(
            *sleeper.vcpu(0), [&] { return 50 * us + m.random() % (100 * us); }, [&] { return 2 * ms + m.random() % (20 * ms); });
        m.run_until(3 * second); // what it had as a spinner is forgotten
        m.forget();
        m.run_until(63 * second);
        auto& all = m.guest(*sleeper.vcpu(0)).latencies;
        std::printf("     an idle-mostly guest beside 8 spinners on each of %u CPUs, %zu wake-ups:\n", cpus, all.size());
        expect(percentile(all, 1) <= ms && all.size() > 1000, "the longest from waking to running", double(percentile(all, 1)) / us, "us");
    }
    Machine m(2);
    for (unsigned i = 0; i < 8; i++)
        m.add_domain(2);
    std::vector<u64> all;
    Domain& sleepers = m.add_domain(12);
    sleepers.for_each_vcpu([&](Vcpu& v) {
        m.set_life(
            v, [&] { return 20 * us + m.random() % (60 * us); }, [&] { return ms + m.random() % (20 * ms); });
    });
    m.run_until(60 * second);
    sleepers.for_each_vcpu([&](Vcpu& v) { all.insert(all.end(), m.guest(v).latencies.begin(), m.guest(v).latencies.end()); });
    expect(percentile(all, 0.99) <= ms, "twelve of them on two CPUs: of 99 %, at most", double(percentile(all, 0.99)) / us, "us");
}

void idle()
{
    Machine m(512);
    for (unsigned i = 0; i < 64; i++)
        m.add_domain(8);
    m.run_until(second);
    m.forget();
    m.run_until(61 * second);
    expect(m.decision.count == 0, "512 CPUs with one spinner each, a minute: decisions", double(m.decision.count), "");
    for (auto& d : m.domains())
        d->for_each_vcpu([&](Vcpu& v) { m.block(v); });
    m.run_until(62 * second);
    m.forget();
    m.run_until(122 * second);
    expect(m.idle_wakeups == 0, "512 idle CPUs, a minute: wake-ups of any of them", double(m.idle_wakeups), "");
}

/// Whoever waits although an idle CPU may run it, and for how long; whoever is on two CPUs.
void chaos()
{
    u64 longest = 0, moments = 0;
    for (unsigned seed = 1; seed <= 40; seed++) {
        std::mt19937_64 dice(seed);
        Machine m(1 + dice() % 12, seed);
        std::vector<Vcpu*> all;
        for (unsigned i = 0, n = 2 + dice() % 10; i < n; i++)
            m.add_domain(1 + dice() % 6, u16(64 + dice() % 1000), dice() % 4 ? 0 : u16(10 + dice() % 100)).for_each_vcpu([&](Vcpu& v) {
                all.push_back(&v);
            });
        for (Vcpu* v : all)
            if (dice() % 3)
                m.set_life(
                    *v, [&m] { return m.random() % (5 * ms); }, [&m] { return m.random() % (10 * ms); });
        std::vector<u64> waits_since(all.size(), ~u64{0});
        m.after_each_event = [&] {
            moments++;
            for (std::size_t i = 0; i < all.size(); i++) {
                Vcpu& v = *all[i];
                bool helpless = false;
                if (v.is_runnable() && !v.is_on_cpu)
                    for (unsigned cpu = 0; cpu < m.cpus(); cpu++)
                        helpless |= m.is_idle(cpu) && v.sched.hard_affinity.test(cpu);
                waits_since[i] = helpless ? std::min(waits_since[i], m.now) : ~u64{0};
                if (helpless)
                    longest = std::max(longest, m.now - waits_since[i]);
                unsigned on = 0;
                for (unsigned cpu = 0; cpu < m.cpus(); cpu++) {
                    m.cpu = cpu;
                    on += m.current() == &v;
                }
                if (on > 1 || v.is_runnable() != (on || v.sched.is_queued()))
                    expect(false, "a vCPU is lost, or on two CPUs; seed", seed, "");
            }
        };
        for (u64 t = 0; t < second; t += 1 + dice() % (4 * ms)) {
            m.run_until(t);
            Vcpu& v = *all[dice() % all.size()];
            switch (dice() % 5) {
            case 0: m.pin(v, unsigned(dice() % m.cpus()), 1); break;
            case 1: m.pin(v, 0, m.cpus()); break;
            case 2: m.on_cpu(0, [&] { scheduler::set_params(v.domain, {u16(64 + dice() % 1000), u16(dice() % 3 ? 0 : 30)}); }); break;
            case 3: m.on_cpu(unsigned(dice() % m.cpus()), [&] { pause_vcpu_async(v, pause_domain); }); break;
            default: m.on_cpu(unsigned(dice() % m.cpus()), [&] { resume_vcpu(v, pause_domain); }); break;
            }
        }
        m.after_each_event = nullptr;
    }
    std::printf("     40 random machines, %llu moments looked at:\n", static_cast<unsigned long long>(moments));
    expect(longest == 0, "the longest that one waited beside an idle CPU that may run it", double(longest) / us, "us");
}

void cost(const char* series, unsigned x, unsigned cpus, unsigned vcpus)
{
    Machine m(cpus);
    for (unsigned i = 0; i < vcpus; i += 2) {
        Domain& d = m.add_domain(2, u16(128 << m.random() % 4));
        if (i % 8 == 0) // a quarter of the guests sleeps mostly
            d.for_each_vcpu([&](Vcpu& v) {
                m.set_life(
                    v, [&] { return m.random() % (400 * us); }, [&] { return 10 * ms + m.random() % (40 * ms); });
            });
    }
    m.run_until(2 * second);
    m.forget();
    u64 wanted = std::max<u64>(2, 1500 / cpus);
    m.run_until(m.now + std::min(wanted, u64{60}) * second);
    std::printf("plot %s %u %.2f %llu %.2f %llu\n", series, x, m.decision.mean(), static_cast<unsigned long long>(m.decision.most),
                m.waking.mean(), static_cast<unsigned long long>(m.waking.most));
    if (cpus == 512 || vcpus == 4096)
        expect(m.decision.mean() < 250 && m.waking.mean() < 300,
               cpus == 512 ? "4,096 vCPUs on 512 CPUs: basic blocks for a decision" : "4,096 vCPUs on one CPU: basic blocks for a decision",
               m.decision.mean(), "");
}

} // namespace

int main()
{
    weights();
    caps();
    latency();
    idle();
    chaos();
    shares(16, 128);
    shares(512, 4096);
    for (unsigned n = 2; n <= 4096; n *= 2)
        cost("queue", n, 1, n);
    for (unsigned cpus = 1; cpus <= 512; cpus *= 2)
        cost("cpus", cpus, cpus, cpus * 8);
    return failures != 0;
}
