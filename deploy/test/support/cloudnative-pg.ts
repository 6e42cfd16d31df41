/**
 * What we use of CloudNativePG's `Cluster` (postgresql.cnpg.io/v1, as of 1.30), as its API reference has it: no
 * package has these types. A field that is not here does not pass the check of the manifests.
 */
export interface ICluster {
  apiVersion: 'postgresql.cnpg.io/v1'
  kind: 'Cluster'
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  spec: {
    instances: number
    imageName?: string
    affinity?: { podAntiAffinityType?: 'preferred' | 'required' }
    bootstrap?: { initdb?: { database: string; owner: string } }
    postgresql?: {
      synchronous?: {
        method: 'any' | 'first'
        number: number
        dataDurability?: 'required' | 'preferred'
        failoverQuorum?: boolean
      }
    }
    resources?: Record<'requests' | 'limits', Record<string, string>>
    storage: { size: string; storageClass?: string }
  }
}
