#!lua
-- Append commands; an undecided command for the same object is met here, under one roof with the append.
-- Without flags: a full server refuses all of it before anything is written.
-- KEYS: commands pending meta   ARGV: (mode object_id command_id body)*
-- Answers {seq, earlier or false, earlier or false, ...}.
local answer = {tonumber(redis.call('HGET', KEYS[3], 'seq') or '0')}
for i = 1, #ARGV, 4 do
  local mode, object_id, command_id, body = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local earlier = false
  if mode == 'new' then
    earlier = redis.call('HGET', KEYS[2], object_id)
  end
  if earlier then
    -- written again, so that waiting for this connection's writes waits for the earlier command, too
    redis.call('HSET', KEYS[2], object_id, earlier)
  else
    if mode ~= 'plain' then redis.call('HSET', KEYS[2], object_id, command_id .. body) end
    redis.call('XADD', KEYS[1], '*', 'b', body)
  end
  answer[#answer + 1] = earlier
end
return answer
