import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { App } from '@souk/service-kit/http/app'
import { HttpProblem } from '@souk/service-kit/http/problem'

/**
 * What the pages may load: only files of their own origin, and `blob:` for the preview of a picture that the seller has
 * just chosen. nginx/templates/headers.conf.template has the same text.
 */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

const ONE_YEAR_MS = 31_536_000_000

/**
 * Serves the storefront and the seller console from `folder`, as nginx does. Both are one page, which reads the path in
 * the browser. If the pages could not be built, `folder` is undefined, and the paths respond 503.
 */
export async function servePages(app: App, folder: string | undefined): Promise<void> {
  const html = folder === undefined ? undefined : readFileSync(join(folder, 'index.html'))
  for (const name of ['shop', 'sell']) {
    app.get(`/${name}/`, (_request, reply) => reply.redirect(`/${name}`, 308))
    for (const path of [`/${name}`, `/${name}/*`])
      app.get(path, async (_request, reply) => {
        if (!html)
          throw new HttpProblem(503, 'pages-unavailable', 'The pages could not be built. See the log.')
        return reply.header('content-security-policy', CONTENT_SECURITY_POLICY).type('text/html').send(html)
      })
  }
  if (folder === undefined) return
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    decorateReply: false,
    // The names of the files contain a hash of their content.
    immutable: true,
    maxAge: ONE_YEAR_MS,
    preCompressed: true,
    // Each file has a route of its own, so an unknown file is an unknown path.
    wildcard: false,
    acceptRanges: false,
  })
}
