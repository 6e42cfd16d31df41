/**
 * The fields of CloudNativePG's `Cluster` (postgresql.cnpg.io/v1, version 1.30) that our manifests use. No npm package
 * contains the types of `Cluster`. If a manifest uses another field, the test of the manifests fails.
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
