/** The connection to the API that all pages share. */
import { browserTokens, createSouk } from '@souk/client'
import { QueryClient } from '@tanstack/react-query'

export const souk = createSouk({ baseUrl: '', tokens: browserTokens() })

/** The client repeats failed requests itself, so TanStack Query does not. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 5_000, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
})
