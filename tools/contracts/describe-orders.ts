import { buildApp } from 'orders/app'
import type { Application } from 'orders/application/index'

/** Returns the contract of the orders service by file name. It builds the app only for its routes' schemas. */
export async function describeOrders(): Promise<Record<string, object>> {
  const app = await buildApp({} as Application, {
    verifyToken: () => Promise.reject(new Error('No request reaches this app.')),
    readiness: {},
  })
  await app.ready()
  const contract = app.swagger()
  await app.close()
  return { orders: contract }
}
