#!lua flags=allow-oom
-- The only way into the log. Checks everything first, because a script has no rollback.
-- KEYS: meta events commands results pending tasks*
-- ARGV: epoch commands_from commands_to results_from results_to seq hash new_hash
--       commits (body)*   tasks (key entry_id body)*   drops (key entry_id)*   settled (object_id command_id)*
-- Each list is led by its length; `key` is an index into KEYS.
-- Answers {1, projected}, or {0} where a check failed and nothing was changed.
local m = redis.call('HMGET', KEYS[1], 'epoch', 'commands_cursor', 'results_cursor', 'seq', 'hash', 'projected')
local seq = tonumber(m[4] or '0')
if m[1] ~= ARGV[1] or (m[2] or '0-0') ~= ARGV[2] or (m[3] or '0-0') ~= ARGV[4]
  or seq ~= tonumber(ARGV[6]) or (m[5] or ARGV[7]) ~= ARGV[7] then
  return {0}
end
if ARGV[2] == ARGV[3] and ARGV[4] == ARGV[5] and ARGV[9] == '0' and #ARGV == 12 then
  return {1, tonumber(m[6] or '0')} -- nothing to commit, only to check
end
local at = 9
for _ = 1, tonumber(ARGV[at]) do
  at = at + 1
  seq = seq + 1
  redis.call('XADD', KEYS[2], seq .. '-0', 'b', ARGV[at])
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  redis.call('XADD', KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], 'b', ARGV[at + 3])
  at = at + 3
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  local key = KEYS[tonumber(ARGV[at + 1])]
  redis.call('XACK', key, 'workers', ARGV[at + 2])
  redis.call('XDEL', key, ARGV[at + 2])
  at = at + 2
end
at = at + 1
for _ = 1, tonumber(ARGV[at]) do
  local held = redis.call('HGET', KEYS[5], ARGV[at + 1])
  if held and string.sub(held, 1, #ARGV[at + 2]) == ARGV[at + 2] then redis.call('HDEL', KEYS[5], ARGV[at + 1]) end
  at = at + 2
end
redis.call('HSET', KEYS[1], 'commands_cursor', ARGV[3], 'results_cursor', ARGV[5], 'seq', seq, 'hash', ARGV[8])
redis.call('HDEL', KEYS[1], 'reissue')
if ARGV[2] ~= ARGV[3] then redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[3]) end
if ARGV[4] ~= ARGV[5] then redis.call('XTRIM', KEYS[4], 'MINID', '~', ARGV[5]) end
return {1, tonumber(m[6] or '0')}
