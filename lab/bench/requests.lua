-- The requests of wrk: orders of one unit, each with a buyer's token and an idempotency key of its own.
-- Arguments: the file of tokens, the highest product id, a prefix for the keys, and a path to get ('-' places orders).
local tokens, products, prefix, path = {}, 1, '', '-'
local sent, threads = 0, 0

function setup(thread)
  thread:set('number', threads)
  threads = threads + 1
end

function init(args)
  for token in io.lines(args[1]) do tokens[#tokens + 1] = token end
  products, prefix, path = tonumber(args[2]), args[3] .. '-' .. number .. '-', args[4] or '-'
  math.randomseed(number + 1)
end

function request()
  sent = sent + 1
  if path ~= '-' then
    -- Reading orders needs a token; reading products does not.
    local headers = path:find('^/orders') and { authorization = 'Bearer ' .. tokens[sent % #tokens + 1] } or {}
    return wrk.format('GET', (path:gsub('{id}', tostring(math.random(products)))), headers)
  end
  local id = products == 1 and 1 or math.random(products)
  return wrk.format('POST', '/orders', {
    ['content-type'] = 'application/json',
    ['authorization'] = 'Bearer ' .. tokens[sent % #tokens + 1],
    ['idempotency-key'] = prefix .. sent,
  }, '{"lines":[{"productId":' .. id .. ',"quantity":1}]}')
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"seconds":%.3f,"p50":%.3f,"p99":%.3f,"failed":%d,"timeouts":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write, errors.timeout))
end
