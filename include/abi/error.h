// Error numbers. A hypercall that fails returns one of these negated.
#pragma once

enum {
    XEN_EPERM = 1,
    XEN_ENOENT = 2,
    XEN_ESRCH = 3,
    XEN_ENXIO = 6,
    XEN_EAGAIN = 11,
    XEN_ENOMEM = 12,
    XEN_EACCES = 13,
    XEN_EFAULT = 14,
    XEN_EBUSY = 16,
    XEN_EEXIST = 17,
    XEN_EINVAL = 22,
    XEN_ENOSPC = 28,
    XEN_ENOSYS = 38,
    XEN_ETIME = 62,
    XEN_ERESTART = 85, // never leaves the hypervisor except to control tools, which retry
    XEN_EOPNOTSUPP = 95,
    XEN_ETIMEDOUT = 110,
};
