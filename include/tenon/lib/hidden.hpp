// Included first in every hypervisor source: all symbols are the image's own, so addresses are taken without a GOT.
#pragma once
#pragma GCC visibility push(hidden)
