#!/bin/sh
# Keeps disk and network busy, and one CPU in user mode.
secrets >/dev/null &
exec churn
