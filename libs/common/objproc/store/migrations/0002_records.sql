-- What befell the log of a partition itself: repairs after a failover or a loss of Redis.
CREATE TABLE records (LIKE contents INCLUDING ALL);
