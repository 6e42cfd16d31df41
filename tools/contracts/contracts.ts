/**
 * Writes the contracts that the services' routes describe: `swagger/<name>.json`, the merged `swagger/openapi.json` of
 * everything that the gateway serves, the types of the client, and the schemas of the calls from the orders service to
 * the products service.
 * Part of `npm run contracts`. `--check` writes nothing and fails if the committed files are out of date or break a
 * lint rule.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { generateTypes } from '../../packages/client/generate-types.ts'
import { clientContract } from './client-contract.ts'
import { describeOrders as orders } from './describe-orders.ts'
import { describeProducts as products } from './describe-products.ts'
import { describeUsers as users } from './describe-users.ts'
import { lintContract } from './lint.ts'
import { mergeContracts } from './merge.ts'
import type { OpenApi } from './openapi.ts'

const ROOT = new URL('../../', import.meta.url)
const CLIENT_TYPES = 'packages/client/src/contract.gen.ts'
const PRODUCTS_CALLS = 'orders/src/adapters/outbound/products/products-contract.gen.ts'
/** The contract of the internal listener of products. The merged document does not contain this contract. */
const INTERNAL = 'products-internal'

const contracts = Object.assign({}, ...(await Promise.all([users(), products(), orders()]))) as Record<
  string,
  OpenApi
>
const { [INTERNAL]: internal, ...published } = contracts
if (!internal) throw new Error(`The products service describes no contract ${INTERNAL}`)
contracts.openapi = mergeContracts(Object.values(published))

const files = new Map(
  Object.entries(contracts).map(([name, contract]) => [
    `swagger/${name}.json`,
    `${JSON.stringify(contract, null, 2)}\n`,
  ]),
)
files.set(CLIENT_TYPES, await generateTypes(contracts.openapi))
files.set(
  PRODUCTS_CALLS,
  clientContract(`swagger/${INTERNAL}.json`, internal, ['bookOrders', 'releaseOrders']),
)

if (process.argv.includes('--check')) {
  const complaints = [...(await outOfDate()), ...(await lintAll())]
  for (const complaint of complaints) console.error(complaint)
  if (complaints.length > 0) process.exitCode = 1
  else console.log(`${files.size} contract files are up to date and have no lint errors.`)
} else {
  for (const [path, text] of files) await writeFile(new URL(path, ROOT), text)
  console.log(`Wrote ${[...files.keys()].join(', ')}`)
}

async function outOfDate(): Promise<string[]> {
  const compared = [...files].map(async ([path, text]) => {
    const committed = await readFile(new URL(path, ROOT), 'utf8').catch(() => '')
    return committed === text ? [] : [`${path} is out of date: run \`npm run contracts\` and commit it.`]
  })
  return (await Promise.all(compared)).flat()
}

async function lintAll(): Promise<string[]> {
  const linted = [...files.keys()]
    .filter((path) => path.endsWith('.json'))
    .map((path) => lintContract(fileURLToPath(new URL(path, ROOT))))
  return (await Promise.all(linted)).flat()
}
