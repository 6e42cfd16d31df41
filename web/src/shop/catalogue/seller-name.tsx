import { useQuery } from '@tanstack/react-query'
import { souk } from '../../souk.ts'

const FIVE_MINUTES = 300_000

/** Loads the public data of a seller. The products of a page have few sellers, and names rarely change. */
export const useSeller = (id: string) =>
  useQuery({
    queryKey: ['seller', id],
    queryFn: ({ signal }) => souk.get('/sellers/{id}', { params: { path: { id } }, signal }),
    staleTime: FIVE_MINUTES,
  })

/** The name of a seller. A no-break space keeps the line while the name loads. */
export function SellerName({ id }: { id: string }) {
  const { data } = useSeller(id)
  return data?.displayName ?? '\u00a0'
}
