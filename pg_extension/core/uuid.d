pg_extension/core/uuid.o: pg_extension/core/uuid.cpp \
 pg_extension/core/uuid.hpp
pg_extension/core/uuid.hpp:
