import Fastify from 'fastify'

/**
 * The HTTP server's own ceiling: answers the same bytes as the shop at `url`, without a database. In this process,
 * which has nothing else to do while it is measured.
 */
export async function startCeiling(url: string): Promise<{ url: string; stop(): Promise<void> }> {
  const app = Fastify()
  for (const path of ['/products/1', '/products']) {
    const body = await (await fetch(new URL(path, url))).text()
    app.get(path, async (_request, reply) => reply.type('application/json; charset=utf-8').send(body))
  }
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), stop: () => app.close() }
}
