#!lua flags=allow-oom
-- Feed projected commits in order and without a gap, whoever projects; clear the pending hash; trim the log.
-- KEYS: meta feed pending events   ARGV: feed_max log_window items (seq body)* settled (object_id command_id)*
-- Answers how far the feed is; less than the last item means that commits before the first are missing.
local projected = tonumber(redis.call('HGET', KEYS[1], 'projected') or '0')
local at, count = 3, tonumber(ARGV[3])
if count > 0 and tonumber(ARGV[4]) > projected + 1 then return projected end
for _ = 1, count do
  local seq = tonumber(ARGV[at + 1])
  if seq > projected then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], ARGV[at + 1] .. '-0', 'b', ARGV[at + 2])
    projected = seq
  end
  at = at + 2
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  local held = redis.call('HGET', KEYS[3], ARGV[at + 1])
  if held and string.sub(held, 1, #ARGV[at + 2]) == ARGV[at + 2] then redis.call('HDEL', KEYS[3], ARGV[at + 1]) end
  at = at + 2
end
redis.call('HSET', KEYS[1], 'projected', projected)
local window = tonumber(ARGV[2])
if projected > window then redis.call('XTRIM', KEYS[4], 'MINID', '~', (projected - window) .. '-0') end
return projected
