import { openDatabase } from '@souk/service-kit/database/database'
import { buildInternalApp, buildPublicApp } from 'products/app'
import type { Tables } from 'products/database/tables'

/** Returns the contracts of the products service, keyed by file name. Builds apps only to read their route schemas. */
export async function describeProducts(): Promise<Record<string, object>> {
  const database = openDatabase<Tables>('sqlite::memory:')
  const verifyToken = () => Promise.reject(new Error('This app handles no requests.'))
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
