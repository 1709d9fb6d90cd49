// Result<T>, Status and TRY under the name that contracts use.
#pragma once
#include <tenon/lib/result.hpp>
