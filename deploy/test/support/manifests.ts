import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1'
import type { IDeployment } from 'kubernetes-models/apps/v1'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import type { IJob } from 'kubernetes-models/batch/v1'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1'
import type { IConfigMap, IService } from 'kubernetes-models/v1'
import { parseAllDocuments } from 'yaml'
import type { ICluster } from './cloudnative-pg.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** The first major version of kustomize that supports folders as resources and patches with targets. */
const KUSTOMIZE_NEEDED = 5

export interface Kinds {
  Cluster: ICluster
  ConfigMap: IConfigMap
  Deployment: IDeployment
  HTTPRoute: IHTTPRoute
  HorizontalPodAutoscaler: IHorizontalPodAutoscaler
  Job: IJob
  NetworkPolicy: INetworkPolicy
  PodDisruptionBudget: IPodDisruptionBudget
  Service: IService
}

export interface Manifest {
  apiVersion: string
  kind: string
}

export const ofKind = <Kind extends keyof Kinds>(kind: Kind, manifests: Manifest[]) =>
  manifests.filter((manifest) => manifest.kind === kind) as unknown as Kinds[Kind][]

/** Returns whether `kubectl` can build the manifests. @throws Error if it cannot and `REQUIRE_KUBECTL` is set */
export function kubectlBuilds(): boolean {
  const response = spawnSync('kubectl', ['version', '--client', '--output=json'], { encoding: 'utf8' })
  const version = /"kustomizeVersion": "v(\d+)/.exec(response.stdout ?? '')?.[1]
  if (Number(version) >= KUSTOMIZE_NEEDED) return true
  if (process.env.REQUIRE_KUBECTL)
    throw new Error(`kubectl with kustomize ${KUSTOMIZE_NEEDED} or later is required (Debian 13 has one).`)
  return false
}

/** Returns the manifests that `kubectl apply -k` sends for a folder of `deploy/kubernetes/`. */
export function build(folder: string): Manifest[] {
  const args = ['kustomize', `deploy/kubernetes/${folder}`]
  const yaml = execFileSync('kubectl', args, { cwd: ROOT, encoding: 'utf8' })
  return parseAllDocuments(yaml).map((document) => document.toJS() as Manifest)
}

/**
 * Compiles sets of manifests against the types of the Kubernetes API. Returns the errors of each set: unknown kinds and
 * fields, wrong types, and missing parts. The API's JSON schemas are not used, because they allow unknown fields.
 */
export function typeErrors(sets: Manifest[][]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'souk-manifests-'))
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const files = sets.map((_set, i) => `manifests-${i}.mts`)
    for (const [i, manifests] of sets.entries()) {
      const typed = manifests.map(
        (manifest) =>
          `{ const _: import('${moduleOf(manifest)}').I${manifest.kind} = ${JSON.stringify(manifest, null, 1)} }`,
      )
      writeFileSync(join(folder, files[i]!), typed.join('\n'))
    }
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--allowImportingTsExtensions']
    const args = [...options, '--module', 'nodenext', ...files]
    const tsc = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), args, { cwd: folder, encoding: 'utf8' })
    const errors = (tsc.stdout ?? '').split('\n').filter((line) => line.includes('error TS'))
    if (tsc.status !== 0 && errors.length === 0) throw new Error(`The compiler failed: ${tsc.stderr}`)
    return files.map((file) => errors.filter((error) => error.startsWith(file)))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function moduleOf({ apiVersion }: Manifest): string {
  if (apiVersion === 'postgresql.cnpg.io/v1') return join(ROOT, 'deploy/test/support/cloudnative-pg.ts')
  if (apiVersion.startsWith('gateway.')) return `@kubernetes-models/gateway-api/${apiVersion}`
  return `kubernetes-models/${apiVersion}`
}
