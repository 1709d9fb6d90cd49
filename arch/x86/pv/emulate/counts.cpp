// How many instructions were executed for each domain, for the debug key.
#include "emulate.hpp"
#include <tenon/arch/guest.hpp>
#include <tenon/log.hpp>

void tenon::arch::log_emulated()
{
    for (DomainRef domain = domains::next(0); domain; domain = domains::next(domain->id.raw() + 1u)) {
        u32 sum[unsigned(Emulated::kinds)]{};
        domain->for_each_vcpu([&](Vcpu& vcpu) {
            for (unsigned i = 0; i < unsigned(Emulated::kinds); i++)
                sum[i] += vcpu.arch.emulated[i];
        });
        log_info("d%u: emulated ports %u msrs %u cpuid %u flags %u control %u others %u", domain->id.raw(), sum[0], sum[1], sum[2], sum[3],
                 sum[4], sum[5]);
    }
}
