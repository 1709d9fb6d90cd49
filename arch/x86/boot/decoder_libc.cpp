// The little of a C library that the linked decoders name. They are given memory through their own interfaces; malloc is a
// second way in that no path we use takes, so it has nothing to give.
#include <tenon/lib/types.hpp>

extern "C" {
void* malloc(std::size_t) { return nullptr; }
void* calloc(std::size_t, std::size_t) { return nullptr; }
void free(void*) {}

// libzstd's tracing hooks are weak and usually absent; a call to address 0 does not fit the image's place in memory. A trace
// context of 0 turns tracing off.
unsigned long long ZSTD_trace_decompress_begin(const void*) { return 0; }
void ZSTD_trace_decompress_end(unsigned long long, const void*) {}
}
