// console_io: the hypervisor's own console.
#pragma once

#define CONSOLEIO_write 0
#define CONSOLEIO_read 1
