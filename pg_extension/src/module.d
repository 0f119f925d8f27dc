pg_extension/src/module.o: pg_extension/src/module.cpp \
 pg_extension/src/bridge/call.hpp pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/bridge/compat.hpp pg_extension/src/bridge/entry.hpp \
 pg_extension/core/error.hpp pg_extension/src/context/activity.hpp \
 pg_extension/src/context/state.hpp pg_extension/src/context/enter.hpp \
 pg_extension/src/context/entry_rule.hpp \
 pg_extension/src/context/errors.hpp \
 pg_extension/src/context/leftovers.hpp \
 pg_extension/src/context/registry.hpp \
 pg_extension/src/context/setting.hpp
pg_extension/src/bridge/call.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/compat.hpp:
pg_extension/src/bridge/entry.hpp:
pg_extension/core/error.hpp:
pg_extension/src/context/activity.hpp:
pg_extension/src/context/state.hpp:
pg_extension/src/context/enter.hpp:
pg_extension/src/context/entry_rule.hpp:
pg_extension/src/context/errors.hpp:
pg_extension/src/context/leftovers.hpp:
pg_extension/src/context/registry.hpp:
pg_extension/src/context/setting.hpp:
