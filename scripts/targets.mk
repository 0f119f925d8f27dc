# The targets that need no PostgreSQL to be installed yet; each is a script. pgxs.mk needs pg_config
# and has a `check` of its own, so the Makefile reads it only for other goals than these.
SCRIPT_TARGETS := check demo demo-down bench soak format lint clean-build
.PHONY: $(SCRIPT_TARGETS)

ifneq ($(filter $(SCRIPT_TARGETS),$(MAKECMDGOALS)),)
$(SCRIPT_TARGETS):
	@scripts/$@
endif
