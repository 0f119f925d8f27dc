"""What tenancy costs, beside hand-written conditions and plain row security: `make bench`."""
