// Host tests run on the same CPU: the real thing.
#pragma once
#include "../../../../arch/x86/include/tenon_arch/words.hpp"
