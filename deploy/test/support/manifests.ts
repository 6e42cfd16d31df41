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
/** The first kustomize of `kubectl` in which folders are resources and patches have targets. */
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

/** Whether this machine can build them; throws where it must (`REQUIRE_KUBECTL=1`). */
export function kubectlBuilds(): boolean {
  const asked = spawnSync('kubectl', ['version', '--client', '--output=json'], { encoding: 'utf8' })
  const version = /"kustomizeVersion": "v(\d+)/.exec(asked.stdout ?? '')?.[1]
  if (Number(version) >= KUSTOMIZE_NEEDED) return true
  if (process.env.REQUIRE_KUBECTL)
    throw new Error(`kubectl with kustomize ${KUSTOMIZE_NEEDED} or later is required (Debian 13's is).`)
  return false
}

/** What `kubectl apply -k` would send for a folder below `deploy/kubernetes/`. */
export function build(folder: string): Manifest[] {
  const yaml = execFileSync('kubectl', ['kustomize', `deploy/kubernetes/${folder}`], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return parseAllDocuments(yaml).map((document) => document.toJS() as Manifest)
}

/**
 * What Kubernetes would not understand, a line each: unknown kinds and fields, wrong types, what is missing. The
 * types are made from the schemas of its API, and the compiler refuses unknown fields, which the schemas themselves
 * let pass.
 */
export function misunderstood(manifests: Manifest[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'souk-manifests-'))
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const typed = manifests.map(
      (manifest) =>
        `const _: import('${moduleOf(manifest)}').I${manifest.kind} = ${JSON.stringify(manifest, null, 1)}`,
    )
    writeFileSync(join(folder, 'manifests.mts'), typed.map((text) => `{ ${text} }`).join('\n'))
    const options = '--noEmit --strict --skipLibCheck --module nodenext --allowImportingTsExtensions'.split(
      ' ',
    )
    const tsc = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), [...options, 'manifests.mts'], {
      cwd: folder,
      encoding: 'utf8',
    })
    const errors = (tsc.stdout ?? '').split('\n').filter((line) => line.includes('error TS'))
    if (tsc.status !== 0 && errors.length === 0) throw new Error(`The compiler failed: ${tsc.stderr}`)
    return errors
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function moduleOf({ apiVersion }: Manifest): string {
  if (apiVersion === 'postgresql.cnpg.io/v1') return join(ROOT, 'deploy/test/support/cloudnative-pg.ts')
  if (apiVersion.startsWith('gateway.')) return `@kubernetes-models/gateway-api/${apiVersion}`
  return `kubernetes-models/${apiVersion}`
}
