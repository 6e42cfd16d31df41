-- Creates the requests of wrk: GET requests to one path, or orders for one unit with different idempotency keys.
-- Without the variable SAME_REQUEST, calls Lua for each request. With it, wrk repeats the request of its command line:
-- a single thread then sends several times as many requests, so that it does not limit what it measures.
-- Arguments: a file with one token per line, the highest product id, a prefix for the keys, and the path to get
-- ('-' places orders).
local tokens, products, prefix, path = {}, 1, '', '-'
local sent = 0

if not os.getenv('SAME_REQUEST') then

function init(args)
  for token in io.lines(args[1]) do tokens[#tokens + 1] = token end
  products, prefix, path = tonumber(args[2]), args[3] .. '-', args[4]
  math.randomseed(1)
end

function request()
  sent = sent + 1
  if path ~= '-' then
    return wrk.format('GET', (path:gsub('{id}', tostring(math.random(products)))))
  end
  return wrk.format('POST', '/orders', {
    ['content-type'] = 'application/json',
    ['authorization'] = 'Bearer ' .. tokens[sent % #tokens + 1],
    ['idempotency-key'] = prefix .. sent,
  }, '{"lines":[{"productId":' .. math.random(products) .. ',"quantity":1}]}')
end

end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"perSecond":%.3f,"p50":%.3f,"p99":%.3f,"generator":%.3f,"failed":%d}\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    -- The CPU time of this process, as a share of the time that has passed.
    os.clock() / summary.duration * 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
