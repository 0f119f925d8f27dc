pg_extension/core/integer_text.o: pg_extension/core/integer_text.cpp \
 pg_extension/core/integer_text.hpp
pg_extension/core/integer_text.hpp:
