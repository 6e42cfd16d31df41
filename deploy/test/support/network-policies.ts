import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { type Manifest, ofKind } from './manifests.ts'

type Labels = Record<string, string>

/** A pod or a host outside the cluster. The namespace and the labels determine which policies apply to a pod. */
export interface Pod {
  name: string
  /** `souk` for our own pods. */
  namespace: string
  labels: Labels
  /** The ports on which the pod listens. */
  ports: number[]
  /** The IP address; only for a host outside the cluster. */
  address?: string
}

const OURS = 'souk'
/** The ports of a database pod: for PostgreSQL, for CloudNativePG's instance manager and for metrics. */
const DATABASE_PORTS = [5432, 8000, 9187]

/** Returns the pods that the manifests create. */
export function podsOf(manifests: Manifest[]): Pod[] {
  const templates = [...ofKind('Deployment', manifests), ...ofKind('Job', manifests)].map(
    ({ metadata, spec }) => ({
      name: metadata!.name!,
      namespace: OURS,
      labels: spec!.template.metadata!.labels!,
      ports: spec!.template.spec!.containers.flatMap(({ ports = [] }) =>
        ports.map((port) => port.containerPort),
      ),
    }),
  )
  const databases = ofKind('Cluster', manifests).map(({ metadata: { name } }) => ({
    name,
    namespace: OURS,
    labels: { 'cnpg.io/cluster': name },
    ports: DATABASE_PORTS,
  }))
  return [...templates, ...databases]
}

type Direction = 'Ingress' | 'Egress'

/**
 * Returns every connection between `pods` that the policies allow, as `from -> to:port`. Ignores the rules for a
 * direction that is not in `directions`.
 */
export function openConnections(
  manifests: Manifest[],
  pods: Pod[],
  directions: Direction[] = ['Egress', 'Ingress'],
): string[] {
  const policies = ofKind('NetworkPolicy', manifests)
  const isOpen = (from: Pod, to: Pod, port: number) =>
    (!directions.includes('Egress') || allows(policies, 'Egress', from, to, port)) &&
    (!directions.includes('Ingress') || allows(policies, 'Ingress', to, from, port))
  const open: string[] = []
  for (const from of pods)
    for (const to of pods)
      for (const port of to.ports) if (isOpen(from, to, port)) open.push(`${from.name} -> ${to.name}:${port}`)
  return open.sort()
}

/**
 * Returns whether the policies for `pod` allow connections from (Ingress) or to (Egress) `peer`. As in Kubernetes, any
 * connection is allowed if no policy selects the pod. Otherwise one rule of one policy must allow the connection.
 */
function allows(
  policies: INetworkPolicy[],
  direction: Direction,
  pod: Pod,
  peer: Pod,
  port: number,
): boolean {
  const specs = policies
    .map(({ spec }) => spec!)
    .filter(
      ({ podSelector, policyTypes }) =>
        policyTypes!.includes(direction) && selects(podSelector ?? {}, pod.labels),
    )
  if (pod.namespace !== OURS || specs.length === 0) return true
  const rules = specs.flatMap(({ ingress = [], egress = [] }) =>
    direction === 'Ingress'
      ? ingress.map(({ from, ports }) => ({ peers: from, ports }))
      : egress.map(({ to, ports }) => ({ peers: to, ports })),
  )
  return rules.some(
    ({ peers, ports }) =>
      (!peers || peers.some((rule) => isPeer(rule, peer))) &&
      (!ports || ports.some((rule) => rule.port === port)),
  )
}

type Peer = NonNullable<NonNullable<NonNullable<INetworkPolicy['spec']>['ingress']>[number]['from']>[number]
type Selector = NonNullable<Peer['podSelector']>

function isPeer({ ipBlock, namespaceSelector, podSelector }: Peer, pod: Pod): boolean {
  // A rule for a host outside the cluster contains the address of the host, and no selector.
  if (ipBlock || pod.address) return ipBlock?.cidr === `${pod.address}/32`
  const inNamespace = namespaceSelector
    ? selects(namespaceSelector, { 'kubernetes.io/metadata.name': pod.namespace })
    : pod.namespace === OURS
  return inNamespace && selects(podSelector ?? {}, pod.labels)
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator }) => {
      if (operator !== 'Exists')
        throw new Error(`The tests support only the operator Exists, not ${operator}.`)
      return key in labels
    })
  )
}
