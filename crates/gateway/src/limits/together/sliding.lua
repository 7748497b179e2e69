-- Lends out of a window that slides. It is cut into parts, each a field with what was lent in it; a part leaves
-- as a whole when the last of its requests may. Times are microseconds.
-- KEYS: the window. ARGV: now (0: the server's clock), length, most, wanted, epoch that the caller knows (0: none),
-- epoch if there is none, then pairs of age and count that the caller admitted on its own.
-- Gives {lent, or -1 if the caller does not know this epoch; wait if nothing was lent; epoch}.
local PARTS = 240
local key, now = KEYS[1], tonumber(ARGV[1])
if now == 0 then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local length, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local part = length / PARTS
local number = math.floor(now / part)

local head = redis.call('HMGET', key, 'epoch', 'newest', 'total')
local epoch, newest, total = head[1], tonumber(head[2]), tonumber(head[3])
if not epoch then
    epoch, newest, total = ARGV[6], number, 0
end
if ARGV[5] ~= '0' and ARGV[5] ~= epoch then
    redis.call('HSET', key, 'epoch', epoch, 'newest', newest, 'total', total)
    redis.call('PEXPIRE', key, math.ceil(length / 500))
    return {-1, 0, tonumber(epoch)}
end

-- A clock that goes back stands still.
number = math.max(number, newest)
if number - newest > PARTS then
    redis.call('DEL', key)
    total = 0
elseif number > newest then
    local leaving = {}
    for past = newest - PARTS, number - PARTS - 1 do
        leaving[#leaving + 1] = past
    end
    for _, count in ipairs(redis.call('HMGET', key, unpack(leaving))) do
        total = total - (tonumber(count) or 0)
    end
    redis.call('HDEL', key, unpack(leaving))
end

local function count_in(place, count)
    if place > number - PARTS - 1 then
        redis.call('HINCRBY', key, math.min(place, number), count)
        total = total + count
    end
end
for at = 7, #ARGV, 2 do
    count_in(math.floor((now - tonumber(ARGV[at])) / part), tonumber(ARGV[at + 1]))
end

local lent, wait = math.max(math.min(tonumber(ARGV[4]), most - total), 0), 0
if lent > 0 then
    count_in(number, lent)
else
    local kept, left = {}, total
    for past = number - PARTS, number do
        kept[#kept + 1] = past
    end
    for at, count in ipairs(redis.call('HMGET', key, unpack(kept))) do
        left = left - (tonumber(count) or 0)
        wait = (kept[at] + PARTS + 1) * part - now
        if left < most then
            break
        end
    end
end
redis.call('HSET', key, 'epoch', epoch, 'newest', number, 'total', total)
redis.call('PEXPIRE', key, math.ceil(length / 500))
return {lent, math.ceil(wait), tonumber(epoch)}
