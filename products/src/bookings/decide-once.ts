import { isUniqueViolation } from '@souk/service-kit/database/errors'
import { type CommitWith, inTransaction } from '@souk/service-kit/database/transaction'
import type { Transaction } from 'kysely'
import type { ProductsDatabase } from '../catalogue/product-store.ts'
import type { Tables } from '../database/tables.ts'

/** Each attempt after the first needs one more rival that commits in just that moment. */
const ATTEMPTS = 5

/**
 * Runs `work`, which decides about orders, in a transaction; again from the start when another one decided
 * about one of them meanwhile, which then finds that decision and keeps to it.
 *
 * The locks on their products make two bookings of the same order wait for each other, but there may be
 * nothing to lock: a release of an order that is not known yet, or a booking of products that do not exist.
 * Then the primary key of `bookings` lets one through.
 *
 * @param work may run several times, also after a commit of which the answer was lost; `met` says that something
 *   is known to be decided. It stores every decision, so that what was decided before makes it fail
 */
export async function decideOnce<Result>(
  database: ProductsDatabase,
  work: (trx: Transaction<Tables>, met: boolean, commitWith: CommitWith) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(database, (trx, commitWith) => work(trx, attempt > 1, commitWith), {
        idempotent: true,
      })
    } catch (error) {
      if (attempt === ATTEMPTS || !isUniqueViolation(error)) throw error
    }
  }
}
