#!/bin/sh
# Fails when the kernel's log holds a sign of trouble, and prints it.
bad='WARNING:|Oops|BUG:|Call Trace|[Uu]nhandled|general protection|soft lockup|self-detected stall|hung_task|blocked for more'
# Linux' advice about a flaw of the CPU model is no sign of trouble.
if dmesg | grep -v 'Speculative Return Stack Overflow' | grep -E "$bad"; then
    exit 1
fi
echo "check-logs: $(dmesg | wc -l) lines, none bad"
