// Which VIRQs belong to one vCPU, and which to the whole domain.
#pragma once
#include <abi/shared_info.h>

namespace tenon::events {

constexpr bool is_global(unsigned virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

} // namespace tenon::events
