// What hot paths call rarely stays out of line and out of the way.
#pragma once

#define RARE_CALL [[gnu::noinline, gnu::cold]]
