/** Forbids everything that an API response does not need. */
const API_CONTENT_SECURITY_POLICY =
  "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

/** Allows the scripts and inline styles of Swagger UI, and its requests to the API at the same origin. */
export const UI_CONTENT_SECURITY_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

/** The headers of every response. nginx/templates/headers.conf.template has the same values. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': API_CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  // Browsers ignore this header unless a proxy in front of Souk adds TLS.
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
}
