"""The streams: key names in one table, ports, and their adapters over Redis and over memory."""
