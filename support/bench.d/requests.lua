-- SPDX-License-Identifier: Apache-2.0
-- For wrk: sends the requests of a file one after another, over and over, and prints in one line
-- what came of it. The file holds whole HTTP requests with a NUL byte after each.
--
--     wrk ... -s requests.lua URL -- FILE

local requests = {}
local last = 0

function init(args)
    local file = assert(io.open(args[1], "rb"))
    for text in file:read("*a"):gmatch("[^%z]+") do
        requests[#requests + 1] = text
    end
    file:close()
end

function request()
    last = last % #requests + 1
    return requests[last]
end

-- Microseconds; a status above 399 is an error.
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("answers=%d duration=%d median=%d errors=%d\n",
        summary.requests, summary.duration, latency:percentile(50),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
