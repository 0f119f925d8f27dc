pg_extension/core/tenant_name.o: pg_extension/core/tenant_name.cpp \
 pg_extension/core/tenant_name.hpp pg_extension/core/uuid.hpp \
 pg_extension/core/control_character.hpp pg_extension/core/error.hpp \
 pg_extension/core/sqlstate.hpp
pg_extension/core/tenant_name.hpp:
pg_extension/core/uuid.hpp:
pg_extension/core/control_character.hpp:
pg_extension/core/error.hpp:
pg_extension/core/sqlstate.hpp:
