# The hypercall fixture answers for interrupts itself, weakly; this test wants the real ones.
$(UNIT)/common/hypercall/physdev_op_test: $(call UNIT_OBJ,common/hypercall/physdev_op.cpp common/irq/pirq.cpp)
