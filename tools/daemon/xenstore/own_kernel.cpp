// The device file is tried first; xenfs has the same two things under /proc/xen.
#include "own_kernel.hpp"

#include <tools/lib/error.hpp>
#include <tools/lib/unique_fd.hpp>

#include <fcntl.h>
#include <fstream>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace tenon::tools::xenstore {

namespace {

constexpr unsigned long get_event_port = _IOC(_IOC_NONE, 'B', 0, 0);

void* map_page(const char* path, int& port)
{
    UniqueFd fd(::open(path, O_RDWR | O_CLOEXEC));
    if (!fd)
        return MAP_FAILED;
    if (port < 0)
        port = ::ioctl(fd.get(), get_event_port, 0);
    return port < 0 ? MAP_FAILED : ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
}

} // namespace

OwnKernelRing::OwnKernelRing()
{
    int port = -1;
    page_ = map_page("/dev/xen/xenbus_backend", port);
    if (page_ == MAP_FAILED) {
        std::ifstream file("/proc/xen/xsd_port");
        if (file >> port)
            page_ = map_page("/proc/xen/xsd_kva", port);
    }
    if (page_ == MAP_FAILED)
        throw system_error("connecting this domain's kernel to the store (/dev/xen/xenbus_backend)");
    port_ = static_cast<EventPort>(port);
}

OwnKernelRing::~OwnKernelRing() { ::munmap(page_, page_size); }

} // namespace tenon::tools::xenstore
