# The extension, built with PGXS, and tenancyd beside it, built with CMake. `make demo` and
# `make check` install what they need; the rest of this file needs the server's headers, so PGXS is
# read only where pg_config answers. The extension alone, without the libraries of MongoDB and Redis:
# `make extension` and `make install-extension`, or TENANCY_SIDECAR=no.
EXTENSION   = pg_extension/tenancy
EXTVERSION  = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" pg_extension/tenancy.control)
MODULE_big  = tenancy
PG_CONFIG  ?= pg_config

SOURCES     = $(sort $(wildcard pg_extension/src/*.cpp pg_extension/src/*/*.cpp pg_extension/core/*.cpp))
OBJS        = $(SOURCES:.cpp=.o)
# The linter's rules go into the body of one of its functions, and into a file of their own.
LINT        = $(sort $(wildcard sql/lint/rules/*.sql))
LINT_FACTS  = $(sort $(wildcard sql/lint/facts/*.sql))
LINT_BODY   = sql/lint/extension/head.sql $(LINT_FACTS) $(LINT) $(sort $(wildcard sql/lint/registry/*.sql)) \
              sql/lint/told.sql sql/lint/extension/tail.sql
LINT_FILE   = sql/lint/plain/head.sql $(LINT_FACTS) $(LINT) sql/lint/told.sql sql/lint/plain/tail.sql
SQL_SOURCES = $(sort $(wildcard sql/[0-3][0-9][0-9]_*.sql)) $(LINT_BODY) $(sort $(wildcard sql/[4-9][0-9][0-9]_*.sql))
DATA_built  = tenancy--$(EXTVERSION).sql tenancy_lint.sql
DATA        = $(wildcard sql/updates/tenancy--*--*.sql)
EXTRA_CLEAN = $(DATA_built) $(OBJS:.o=.d) build/sidecar

TENANCY_SIDECAR ?= yes
PREFIX          ?= /usr/local

SERVER_INCLUDES := $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)

PG_CPPFLAGS = -isystem $(SERVER_INCLUDES) -Ipg_extension -Ipg_extension/src
PG_CXXFLAGS = -std=gnu++20 -Wall -Wextra -Werror -fvisibility=hidden -fvisibility-inlines-hidden -MMD -MP
SHLIB_LINK += -lstdc++ -lsodium -lcrypto -Wl,--exclude-libs,ALL

.DEFAULT_GOAL = all
include $(wildcard scripts/targets.mk)

# pgxs.mk has a `check` of its own, so it is not read for the targets that are scripts.
ifneq ($(and $(SERVER_INCLUDES),$(filter-out $(SCRIPT_TARGETS),$(or $(MAKECMDGOALS),all))),)
override with_llvm = no
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

.PHONY: extension install-extension
extension:
	$(MAKE) all TENANCY_SIDECAR=no
install-extension:
	$(MAKE) install TENANCY_SIDECAR=no

ifeq ($(TENANCY_SIDECAR),yes)
all: sidecar
install: install-sidecar
uninstall: uninstall-sidecar
include sidecar/install.mk
endif

# For tests/bridge alone; never installed.
build/bridge_probe.so: tests/bridge/probe.cpp pg_extension/src/bridge/entry.o $(wildcard pg_extension/src/bridge/*.hpp)
	mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(CFLAGS_SL) $(CPPFLAGS) -MF build/bridge_probe.d -shared -o $@ $(filter %.cpp %.o,$^) \
	    $(LDFLAGS) -lstdc++ -Wl,--exclude-libs,ALL
else
all install extension install-extension:
	$(error pg_config not found: run `make check` or `make demo`, which install what is missing, or `scripts/dependencies build`)
endif

-include $(OBJS:.o=.d)

tenancy--$(EXTVERSION).sql: $(SQL_SOURCES)
	cat $^ > $@

tenancy_lint.sql: $(LINT_FILE)
	cat $^ > $@
