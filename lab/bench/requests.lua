-- Creates the requests of wrk: GET requests to one path, or orders for one unit with different idempotency keys.
-- Arguments: a file with one token per line, the highest product id, a prefix for the keys, and the path to get
-- ('-' places orders).
local tokens, products, prefix, path = {}, 1, '', '-'
local sent = 0

function init(args)
  for token in io.lines(args[1]) do tokens[#tokens + 1] = token end
  products, prefix, path = tonumber(args[2]), args[3] .. '-', args[4]
  math.randomseed(1)
end

function request()
  sent = sent + 1
  local authorization = 'Bearer ' .. tokens[sent % #tokens + 1]
  if path ~= '-' then
    -- Reading orders needs a token; reading products does not.
    local headers = path:find('^/orders') and { authorization = authorization } or {}
    return wrk.format('GET', (path:gsub('{id}', tostring(math.random(products)))), headers)
  end
  return wrk.format('POST', '/orders', {
    ['content-type'] = 'application/json',
    ['authorization'] = authorization,
    ['idempotency-key'] = prefix .. sent,
  }, '{"lines":[{"productId":' .. math.random(products) .. ',"quantity":1}]}')
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"perSecond":%.3f,"p50":%.3f,"p99":%.3f,"failed":%d}\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
