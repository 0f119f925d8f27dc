# tenancyd: built into build/sidecar, and installed with what belongs to it. DESTDIR and PREFIX as usual;
# the sample configuration goes where the unit and the program look for the configuration.
SIDECAR_BUILD  ?= build/sidecar
# Its own variables: those of pgxs.mk are PostgreSQL's directories.
SIDECAR_PROGRAM = $(DESTDIR)$(PREFIX)/sbin/tenancyd
SIDECAR_UNIT    = $(DESTDIR)$(PREFIX)/lib/systemd/system/tenancyd.service
SIDECAR_MAN     = $(DESTDIR)$(PREFIX)/share/man/man8/tenancyd.8
SIDECAR_SAMPLE  = $(DESTDIR)/etc/tenancy/tenancyd.toml.sample

# -O2, as the tested builds have it; at -O3 GCC 12 sees overlapping copies where there are none.
.PHONY: sidecar install-sidecar uninstall-sidecar
sidecar: $(SIDECAR_BUILD)/CMakeCache.txt
	cmake --build $(SIDECAR_BUILD) --target tenancyd

$(SIDECAR_BUILD)/CMakeCache.txt:
	mkdir -p $(@D)
	cmake -S . -B $(@D) -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE='-O2 -DNDEBUG' \
	    -DBUILD_TESTING=OFF >$(@D)/configure.log || \
	    { cat $(@D)/configure.log; rm -f $@; exit 1; }

install-sidecar: sidecar
	mkdir -p $(dir $(SIDECAR_PROGRAM) $(SIDECAR_UNIT) $(SIDECAR_MAN) $(SIDECAR_SAMPLE))
	install -m 755 $(SIDECAR_BUILD)/sidecar/tenancyd $(SIDECAR_PROGRAM)
	sed 's,/usr/local/sbin,$(PREFIX)/sbin,' sidecar/systemd/tenancyd.service >$(SIDECAR_UNIT)
	chmod 644 $(SIDECAR_UNIT)
	install -m 644 sidecar/man/tenancyd.8 $(SIDECAR_MAN)
	install -m 644 sidecar/tenancyd.toml $(SIDECAR_SAMPLE)

uninstall-sidecar:
	rm -f $(SIDECAR_PROGRAM) $(SIDECAR_UNIT) $(SIDECAR_MAN) $(SIDECAR_SAMPLE)
