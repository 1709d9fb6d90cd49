# The parts of drivers/ that are plain computation, for the host unit tests.
UNIT_ARCH += drivers/acpi/tables.cpp drivers/serial/options.cpp drivers/timer/measure.cpp \
  drivers/timer/rtc.cpp drivers/video/screen.cpp
