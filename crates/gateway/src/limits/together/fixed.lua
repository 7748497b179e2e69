-- Counts in windows of the clock, and bans who goes on after refusals. Times are microseconds.
-- KEYS: the counters. ARGV: now (0: the server's clock), epoch that the caller knows (0: none), epoch if there is
-- none, 1 to refuse, refusals in a minute that ban (0: never), first ban, longest ban, then for each counter: length
-- of its window, limit, what to add, what the caller has added on its own.
-- Gives {0, or the number of the counter that is exceeded, or -1 banned, or -2 if the caller does not know this epoch;
-- wait; epoch; counts}.
local MINUTE = 60000000
local key, now = KEYS[1], tonumber(ARGV[1])
if now == 0 then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local refuses, patience = ARGV[4] == '1', tonumber(ARGV[5])
local first_ban, longest_ban = tonumber(ARGV[6]), tonumber(ARGV[7])
local counters = (#ARGV - 7) / 4

local fields = {'epoch', 'bans', 'until', 'minute', 'refused'}
for i = 1, counters do
    fields[#fields + 1] = 'window' .. i
    fields[#fields + 1] = 'count' .. i
end
local had = redis.call('HMGET', key, unpack(fields))
local epoch = had[1] or ARGV[3]
local bans, banned = tonumber(had[2]) or 0, tonumber(had[3]) or 0
local minute, refused = tonumber(had[4]) or 0, tonumber(had[5]) or 0
local is_unknown = ARGV[2] ~= '0' and ARGV[2] ~= epoch

if math.floor(now / MINUTE) > minute then
    minute, refused = math.floor(now / MINUTE), 0
end
if now > banned + longest_ban then
    bans = 0
end
local verdict, wait, longest, counts = 0, 0, 0, {}
if now < banned then
    verdict, wait = -1, banned - now
end
for i = 1, counters do
    local at = 4 + i * 4
    local length, limit = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local adds, own = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local window, stored = math.floor(now / length), tonumber(had[4 + i * 2]) or 0
    counts[i] = 0
    if window <= stored then
        -- A clock that goes back stands still.
        window, counts[i] = stored, tonumber(had[5 + i * 2]) or 0
    end
    if not is_unknown then
        counts[i] = counts[i] + own
    end
    if refuses and verdict == 0 and adds > 0 and counts[i] + adds > limit then
        verdict, wait = i, (window + 1) * length - now
    end
    longest = math.max(longest, length)
    redis.call('HSET', key, 'window' .. i, window)
end
if is_unknown then
    verdict = -2
elseif verdict == 0 then
    for i = 1, counters do
        counts[i] = math.max(counts[i] + tonumber(ARGV[6 + i * 4]), 0)
    end
elseif verdict > 0 and patience > 0 then
    refused = refused + 1
    if refused >= patience then
        banned = now + math.min(first_ban * 2 ^ bans, longest_ban)
        bans = math.min(bans + 1, 32)
    end
end
for i = 1, counters do
    redis.call('HSET', key, 'count' .. i, counts[i])
end
redis.call('HSET', key, 'epoch', epoch, 'bans', bans, 'until', string.format('%.0f', banned),
    'minute', minute, 'refused', refused)
if bans > 0 then
    longest = math.max(longest, banned - now + longest_ban)
end
redis.call('PEXPIRE', key, math.ceil(longest / 500))
local answer = {verdict, math.ceil(wait), tonumber(epoch)}
for i = 1, counters do
    answer[3 + i] = counts[i]
end
return answer
