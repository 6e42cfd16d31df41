import { buildApp } from 'orders/app'
import type { Application } from 'orders/application/index'

/** Returns the contract of the orders service, keyed by file name. Builds an app only to read its route schemas. */
export async function describeOrders(): Promise<Record<string, object>> {
  const app = await buildApp({} as Application, {
    verifyToken: () => Promise.reject(new Error('This app handles no requests.')),
    readiness: {},
  })
  await app.ready()
  const contract = app.swagger()
  await app.close()
  return { orders: contract }
}
