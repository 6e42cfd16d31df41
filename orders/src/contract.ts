import { buildApp } from './app.ts'
import type { Application } from './application/index.ts'

/** The contract of this service as its routes make it, by file name; nothing is started for it. */
export async function describeContracts(): Promise<Record<string, object>> {
  // Routes are described, not called, so there is no application behind them.
  const app = await buildApp({} as Application, {
    verifyToken: () => Promise.reject(new Error('not called')),
    readiness: {},
  })
  await app.ready()
  const contract = app.swagger()
  await app.close()
  return { orders: contract }
}
