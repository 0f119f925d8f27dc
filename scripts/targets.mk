# The targets that need no PostgreSQL to be installed yet; each is a script. pgxs.mk has a `check`
# of its own and needs pg_config, so the Makefile includes it only for goals that are not these:
#
#   include scripts/targets.mk
#   ifneq ($(filter-out $(SCRIPT_TARGETS),$(or $(MAKECMDGOALS),all)),)
#   PG_CONFIG ?= pg_config
#   include $(shell $(PG_CONFIG) --pgxs)
#   endif
SCRIPT_TARGETS := check demo demo-down bench format lint clean-build
.DEFAULT_GOAL := all
.PHONY: $(SCRIPT_TARGETS)

check demo demo-down bench format lint clean-build:
	@scripts/$@
