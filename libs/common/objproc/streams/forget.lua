#!lua flags=allow-oom
-- Remove a consumer, if it holds nothing: one that comes back to life may have claimed meanwhile.
-- KEYS: tasks   ARGV: consumer
if #redis.call('XPENDING', KEYS[1], 'workers', '-', '+', 1, ARGV[1]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'workers', ARGV[1])
return 1
