-- Sends each request of a file once: wrk -t1 … -s wrk.lua <url> -- <file> <length of each request>
-- Prints one line of JSON: counts, and latencies in microseconds.
function init(args)
    requests = assert(io.open(args[1], "rb"))
    requests:setvbuf("full", 1048576)
    length = tonumber(args[2])
end

function request()
    local text = requests:read(length)
    if text == nil then
        -- More than the file holds would be repeats, which are cheaper than decisions.
        wrk.thread:stop()
        return "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    end
    return text
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"failed":%d,"p50":%d,"p99":%d,"max":%d}\n',
        summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50.0), latency:percentile(99.0), latency.max))
end
