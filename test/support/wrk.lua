-- For wrk: one small JSON event a request; counts the answers 201 and all others, and prints them as one line of JSON.
-- PAUSE_MS in the environment is the average pause between two requests of a connection (default: none), EVENTS the
-- number of events a request (default: one). REQUEST names a file that has other requests' bytes; only what wrk counts
-- itself is counted then: an answer below 400 passes for 201.

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"type":"order","data":{"customer":4711,"article":"A-17","amount":3}}'

local events = tonumber(os.getenv("EVENTS") or "1")
if events > 1 then
    wrk.headers["Content-Type"] = "application/x-ndjson"
    wrk.body = string.rep(wrk.body .. "\n", events)
end

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

-- What follows until `done` runs in each thread's own Lua state, so these globals are the thread's.
created, others = 0, 0

local file = os.getenv("REQUEST")
if file then
    local opened = assert(io.open(file, "rb"))
    local text = opened:read("*a")
    opened:close()
    function request()
        return text
    end
else
    function response(status)
        if status == 201 then
            created = created + 1
        else
            others = others + 1
        end
    end
end

local pause = tonumber(os.getenv("PAUSE_MS") or "0")
if pause > 0 then
    function delay()
        return math.floor(math.random() * 2 * pause + 0.5)
    end
end

function done(summary, latency)
    local all = { created = 0, others = 0 }
    for _, thread in ipairs(threads) do
        all.created = all.created + thread:get("created")
        all.others = all.others + thread:get("others")
    end
    if os.getenv("REQUEST") then
        local errors = summary.errors
        all.created = summary.requests - errors.status
        all.others = errors.status + errors.connect + errors.read + errors.write + errors.timeout
    end
    io.write(string.format(
        'RESULT {"created":%d,"others":%d,"seconds":%.3f,"mean":%.1f,"p50":%.1f,"p99":%.1f}\n',
        all.created, all.others, summary.duration / 1e6,
        latency.mean, latency:percentile(50), latency:percentile(99)
    ))
end
