# The list of hypercalls in docs/abi, made from the tables.
.PHONY: abi-docs check-abi-docs
abi-docs: ##  write docs/abi/index.md from the hypercall tables
	$(Q)$(PYTHON) tools/dev/abi_docs.py
check-abi-docs: ##  is the list of hypercalls up to date, and every call documented?
	$(Q)$(PYTHON) tools/dev/abi_docs.py --check
