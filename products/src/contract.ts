import { openDatabase } from '@souk/service-kit/database/database'
import { buildInternalApp, buildPublicApp } from './app.ts'
import type { Tables } from './database/tables.ts'

/** The contracts of this service as its routes make them, by file name; nothing is served for it. */
export async function describeContracts(): Promise<Record<string, object>> {
  const database = openDatabase<Tables>('sqlite::memory:')
  const verifyToken = () => Promise.reject(new Error('not called'))
  const apps = {
    products: await buildPublicApp({ database, verifyToken }),
    'products-internal': await buildInternalApp({ database, verifyToken }),
  }
  const contracts: Record<string, object> = {}
  for (const [name, app] of Object.entries(apps)) {
    await app.ready()
    contracts[name] = app.swagger()
    await app.close()
  }
  await database.close()
  return contracts
}
