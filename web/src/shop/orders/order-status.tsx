import type { Order } from '@souk/client'

const STATUSES: Record<Order['status'], [name: string, className: string]> = {
  PENDING: ['Being confirmed', 'warn'],
  CONFIRMED: ['Confirmed', 'good'],
  REJECTED: ['Not placed', 'bad'],
  CANCELLING: ['Being cancelled', 'warn'],
  CANCELLED: ['Cancelled', 'bad'],
}

export function OrderStatus({ status }: Pick<Order, 'status'>) {
  const [name, className] = STATUSES[status]
  return <span className={`badge ${className}`}>{name}</span>
}

/** The last characters of an order's id. They are random, and enough to tell a buyer's orders apart. */
export const orderNumber = ({ id }: Pick<Order, 'id'>): string => id.slice(-8).toUpperCase()

export const orderTime = ({ createdAt }: Pick<Order, 'createdAt'>): string =>
  new Date(createdAt).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })
