pg_extension/src/context/state.o: pg_extension/src/context/state.cpp \
 pg_extension/src/context/state.hpp pg_extension/src/bridge/postgres.hpp \
 pg_extension/src/bridge/call.hpp pg_extension/src/context/activity.hpp \
 pg_extension/src/context/authority.hpp \
 pg_extension/src/context/errors.hpp \
 pg_extension/src/context/registry.hpp \
 pg_extension/src/context/setting.hpp
pg_extension/src/context/state.hpp:
pg_extension/src/bridge/postgres.hpp:
pg_extension/src/bridge/call.hpp:
pg_extension/src/context/activity.hpp:
pg_extension/src/context/authority.hpp:
pg_extension/src/context/errors.hpp:
pg_extension/src/context/registry.hpp:
pg_extension/src/context/setting.hpp:
