import Schema, { type XStatic } from 'typebox/schema'
import { bookOrders, releaseOrders } from './products-contract.gen.ts'

/** What the products service promises to take and to answer, typed and checked by its own contract. */
export type BookingRequest = XStatic<typeof bookOrders.request>[number]
export type ReleaseRequest = XStatic<typeof releaseOrders.request>[number]
export type BookingResult = XStatic<typeof bookOrders.response>[number]
export type ReleaseResult = XStatic<typeof releaseOrders.response>[number]

const bookings = Schema.Compile(bookOrders.response)
const releases = Schema.Compile(releaseOrders.response)

/**
 * The answer to a booking call, if it is what the contract promises for this request: one result for each
 * order, in order.
 *
 * @throws Error otherwise: then nothing in it can be believed
 */
export function checkBookings(request: readonly BookingRequest[], answer: unknown): readonly BookingResult[] {
  if (!bookings.Check(answer)) throw new Error('The answer to /bookings does not fit the contract.')
  const results = answer as readonly BookingResult[]
  expectSameOrders(request, results)
  return results
}

/** The answer to a release call, likewise. */
export function checkReleases(request: readonly ReleaseRequest[], answer: unknown): readonly ReleaseResult[] {
  if (!releases.Check(answer)) throw new Error('The answer to /releases does not fit the contract.')
  const results = answer as readonly ReleaseResult[]
  expectSameOrders(request, results)
  return results
}

function expectSameOrders(
  asked: readonly { orderId: string }[],
  answered: readonly { orderId: string }[],
): void {
  if (asked.length === answered.length && asked.every(({ orderId }, i) => orderId === answered[i]!.orderId))
    return
  throw new Error('The products service answered for other orders than it was asked.')
}
