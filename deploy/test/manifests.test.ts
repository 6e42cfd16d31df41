import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import * as orders from 'orders/config'
import * as products from 'products/config'
import * as users from 'users/config'
import { build, type Kinds, kubectlBuilds, type Manifest, ofKind, typeErrors } from './support/manifests.ts'
import { openConnections, type Pod, podsOf } from './support/network-policies.ts'

const OVERLAYS = ['overlays/cloudnative-pg', 'overlays/external-database']
const SERVICES = { users, products, orders }
/** The first manifest of each of these kinds. */
type First = Pick<Kinds, 'Cluster' | 'Deployment' | 'Job' | 'Service'>
/** How long a service may take to end. Equals SHUTDOWN_MS in packages/service-kit/src/process/serve.ts. */
const SHUTDOWN_SECONDS = 15

/** PostgreSQL's default for max_connections is 100. Administrators, backups and replication need some of them. */
const MOST_CONNECTIONS = 90

/** Mistakes that the type check must find. `change` overwrites fields of `part`. `error` matches the message. */
const MISTAKES: [mistake: string, part: (manifests: First) => object, change: object, error: RegExp][] = [
  ['a misspelt field', ({ Deployment }) => Deployment.spec!, { replicsa: 2 }, /TS2353.*replicsa/],
  ['a field of a wrong type', ({ Service }) => Service.spec!.ports![0]!, { port: '80' }, /TS2322/],
  ['an unknown kind', ({ Service }) => Service, { kind: 'Servise' }, /Servise/],
  ['a missing part', ({ Job }) => Job, { spec: {} }, /TS2741.*template/],
  ['an unknown value', ({ Cluster }) => Cluster.spec.affinity!, { podAntiAffinityType: 'no' }, /TS2322/],
]

const skip = !kubectlBuilds() && 'kubectl is not installed, or is too old'

describe('Kubernetes manifests:', { skip }, () => {
  const built = skip ? [] : OVERLAYS.map(build)
  const broken = (skip ? [] : MISTAKES).map(([, part, change]) => {
    const manifests = structuredClone(built[0]!)
    const first = {
      Cluster: ofKind('Cluster', manifests)[0]!,
      Deployment: ofKind('Deployment', manifests)[0]!,
      Job: ofKind('Job', manifests)[0]!,
      Service: ofKind('Service', manifests)[0]!,
    }
    Object.assign(part(first), change)
    return manifests
  })
  let errors: string[][]

  // All sets of manifests are compiled together, because the compiler spends most of the time on the types.
  before(() => {
    errors = typeErrors([...built, ...broken])
  })

  for (const [i, overlay] of OVERLAYS.entries()) {
    describe(`${overlay}:`, () => {
      it('the manifests match the types of the Kubernetes API', () => {
        assert.deepEqual(errors[i], [])
        assert.equal(ofKind('Deployment', built[i]!).length, 4)
        assert.equal(ofKind('Job', built[i]!).length, 3)
      })
      testRules(built[i] ?? [])
    })
  }

  for (const [i, [mistake, , , error]] of MISTAKES.entries()) {
    it(`the type check rejects a manifest with ${mistake}`, () => {
      const found = errors[OVERLAYS.length + i]!
      assert.equal(found.length, 1)
      assert.match(found[0]!, error)
    })
  }
})

const nameOf = ({ metadata }: { metadata?: { name?: string } | undefined }) => metadata?.name ?? ''

function testRules(manifests: Manifest[]) {
  const deployments = ofKind('Deployment', manifests)
  const jobs = ofKind('Job', manifests)
  const services = ofKind('Service', manifests)
  const pods = [...deployments, ...jobs].map(({ metadata, spec }) => ({
    name: metadata!.name!,
    labels: spec!.template.metadata!.labels!,
    spec: spec!.template.spec!,
  }))
  const containers = pods.flatMap(({ name, spec }) =>
    [...spec.containers, ...(spec.initContainers ?? [])].map((container) => ({ name, container })),
  )

  /** The settings that all services share. */
  const shared: Record<string, string> = {}
  for (const { data } of ofKind('ConfigMap', manifests)) Object.assign(shared, data)

  it('no container runs as root, has a capability, can write to its image or has a token for the Kubernetes API', () => {
    for (const { name, spec } of pods) {
      const { runAsNonRoot, runAsUser, seccompProfile } = spec.securityContext ?? {}
      assert.ok(runAsNonRoot && runAsUser! > 0, name)
      assert.deepEqual(seccompProfile, { type: 'RuntimeDefault' }, name)
      assert.equal(spec.automountServiceAccountToken, false, name)
      assert.ok(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, name)
      const volumes = (spec.volumes ?? []).filter((volume) => !volume.emptyDir)
      assert.deepEqual(volumes, [], name)
    }
    const capabilities = { drop: ['ALL'] }
    const expected = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities }
    for (const { name, container } of containers) assert.deepEqual(container.securityContext, expected, name)
  })

  it('every container has resource requests and a memory limit', () => {
    for (const { name, container } of containers) {
      assert.ok(container.resources?.requests?.cpu && container.resources.requests.memory, name)
      assert.ok(container.resources.limits?.memory, name)
    }
  })

  it('every server has probes, and continues to serve requests for at least 5 s before it shuts down', () => {
    for (const { metadata, spec } of deployments) {
      const { containers, terminationGracePeriodSeconds } = spec!.template.spec!
      const name = metadata!.name!
      for (const { startupProbe, livenessProbe, readinessProbe, lifecycle } of containers) {
        assert.equal(startupProbe?.httpGet?.path, '/health/live', name)
        assert.equal(livenessProbe?.httpGet?.path, '/health/live', name)
        assert.equal(readinessProbe?.httpGet?.path, name in SERVICES ? '/health/ready' : '/health/live', name)
        const waits = lifecycle?.preStop?.sleep?.seconds ?? 0
        assert.ok(waits >= 5, name)
        assert.ok(terminationGracePeriodSeconds! > waits + SHUTDOWN_SECONDS, name)
      }
    }
  })

  it('every server has two replicas or more, a disruption budget, and rolling updates without unavailable replicas', () => {
    for (const { metadata, spec } of deployments) {
      const name = metadata!.name!
      const budget = ofKind('PodDisruptionBudget', manifests).find((manifest) => nameOf(manifest) === name)
      assert.deepEqual(budget?.spec?.selector, spec!.selector, name)
      const scalers = ofKind('HorizontalPodAutoscaler', manifests)
      const scaler = scalers.find((manifest) => manifest.spec!.scaleTargetRef.name === name)
      assert.ok(scaler!.spec!.minReplicas! >= 2, name)
      assert.equal(
        spec!.replicas,
        undefined,
        `${name} must not set replicas, because the autoscaler sets them`,
      )
      assert.equal(spec!.strategy?.rollingUpdate?.maxUnavailable, 0, name)
    }
  })

  it('no Service is open to addresses outside the cluster, and the HTTPRoute leads only to the gateway', () => {
    for (const service of services) {
      const { type = 'ClusterIP', externalIPs } = service.spec!
      assert.deepEqual({ type, externalIPs }, { type: 'ClusterIP', externalIPs: undefined }, nameOf(service))
    }
    const published = ofKind('HTTPRoute', manifests).flatMap(({ spec }) =>
      spec.rules!.flatMap(({ backendRefs }) => backendRefs!.map(({ name }) => name)),
    )
    assert.deepEqual(published, ['gateway'])
    const internal = services.filter(({ spec }) => spec!.ports!.some(({ port }) => port === 9002))
    assert.deepEqual(
      internal.map((service) => [nameOf(service), service.spec!.ports!.length]),
      [['products-internal', 1]],
    )
  })

  it('every Service selects the pods of one Deployment, and the ports of the Service are ports of these pods', () => {
    for (const service of services) {
      const { selector, ports: servicePorts } = service.spec!
      const selected = pods.filter(({ labels }) =>
        Object.entries(selector!).every(([key, value]) => labels[key] === value),
      )
      assert.equal(selected.length, 1, nameOf(service))
      const named = selected[0]!.spec.containers.flatMap(({ ports = [] }) => ports)
      for (const { port, targetPort } of servicePorts!) {
        assert.equal(named.find(({ name }) => name === targetPort)?.containerPort, port, nameOf(service))
      }
    }
  })

  it('the manifests contain no secret', () => {
    assert.ok(manifests.every(({ kind }) => kind !== 'Secret'))
    for (const { name, container } of containers) {
      for (const { name: variable, value } of container.env ?? []) {
        if (/SECRET|PASSWORD|DATABASE_URL/.test(variable))
          assert.equal(value, undefined, `${name} ${variable}`)
      }
    }
    assert.doesNotMatch(JSON.stringify(ofKind('ConfigMap', manifests)), /SECRET|PASSWORD|DATABASE_URL/)
  })

  it('every service receives valid production settings, and every setting in a ConfigMap belongs to a service', () => {
    const bySecret: Record<string, string> = {
      DATABASE_URL: 'postgres://somewhere/',
      SERVICE_TOKEN_SECRET: 'x'.repeat(32),
    }
    for (const { name: pod, labels, spec } of pods) {
      const service = SERVICES[labels['app.kubernetes.io/name'] as keyof typeof SERVICES]
      if (!service) continue
      const { env, envFrom, ports = [] } = spec.containers[0]!
      const own = Object.fromEntries(env!.map(({ name, value }) => [name, value ?? bySecret[name]]))
      const config: Record<string, unknown> = service.readSettings({ ...(envFrom && shared), ...own })
      assert.deepEqual([config.NODE_ENV, config.SEED_DEMO_DATA], ['production', false], pod)
      for (const { name, containerPort } of ports) {
        const setting = name === 'http' ? 'PORT' : `${name!.toUpperCase()}_PORT`
        if (setting in service.settings.properties)
          assert.equal(config[setting], containerPort, `${pod} ${name}`)
      }
    }
    const known = Object.values(SERVICES).flatMap(({ settings }) => Object.keys(settings.properties))
    const unknown = Object.keys(shared).filter((name) => !known.includes(name))
    assert.deepEqual(unknown, [])
    // Every listener must listen on all interfaces, because other pods connect to it.
    for (const host of known.filter((name) => name.endsWith('HOST')))
      assert.equal(shared[host], '0.0.0.0', host)
  })

  it('all pods of a service, and one more during a rollout, open fewer connections than PostgreSQL allows', () => {
    const perPod = Number(shared.DATABASE_POOL_SIZE) + Number(shared.DATABASE_READ_POOL_SIZE)
    const scalers = ofKind('HorizontalPodAutoscaler', manifests).filter(
      (scaler) => nameOf(scaler) in SERVICES,
    )
    assert.equal(scalers.length, 3)
    for (const scaler of scalers) {
      const connections = (scaler.spec!.maxReplicas + 1) * perPod
      assert.ok(connections <= MOST_CONNECTIONS, `${nameOf(scaler)}: ${connections} connections`)
    }
  })

  it('every host and port in a setting is the name and a port of a Service', () => {
    const values = [
      ...ofKind('ConfigMap', manifests).flatMap(({ data }) => Object.values(data!)),
      ...containers.flatMap(({ container }) => (container.env ?? []).map(({ value }) => value)),
    ]
    const addresses = values.flatMap((value) => [
      ...(value ?? '').matchAll(/([a-z-]+)(?:\.souk\.svc\.cluster\.local)?:(\d+)/g),
    ])
    assert.equal(addresses.length, 5)
    for (const [address, name, port] of addresses) {
      const ports = services.find((service) => nameOf(service) === name)?.spec?.ports ?? []
      assert.ok(ports.map((one) => one.port).includes(Number(port)), address)
    }
  })

  it('the network policies allow the intended connections and no others', () => {
    const unlabelled: Pod = { name: 'unlabelled', namespace: 'souk', labels: {}, ports: [8080] }
    const ours = [...podsOf(manifests), unlabelled]
    const clusters = ofKind('Cluster', manifests).map(({ metadata }) => metadata.name)
    const others: Pod[] = [
      { name: 'stranger', namespace: 'elsewhere', labels: {}, ports: [443, 5432] },
      { name: 'monitoring', namespace: 'monitoring', labels: {}, ports: [4318] },
      {
        name: 'operator',
        namespace: 'cnpg-system',
        labels: { 'app.kubernetes.io/name': 'cloudnative-pg' },
        ports: [],
      },
      { name: 'dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' }, ports: [53] },
    ]
    const external: Pod[] = Object.keys(clusters.length ? {} : SERVICES).map((service, i) => ({
      name: `${service}-database`,
      namespace: 'outside',
      labels: {},
      ports: [5432],
      address: `192.0.2.${i + 1}`,
    }))
    const intended = [
      ...['stranger', 'monitoring', 'operator', 'dns', ...external.map(({ name }) => name)].map(
        (name) => `${name} -> gateway:8080`,
      ),
      ...ours.map(({ name }) => `${name} -> dns:53`),
      'gateway -> users:8001',
      'gateway -> products:8002',
      'gateway -> orders:8003',
      'products -> users:8001',
      'orders -> users:8001',
      'orders -> products:9002',
      ...Object.keys(SERVICES).flatMap((service) => [
        `${service} -> ${service}-database:5432`,
        `migrate-${service} -> ${service}-database:5432`,
        `monitoring -> ${service}:9464`,
        `${service} -> monitoring:4318`,
      ]),
      ...clusters.flatMap((cluster) => [
        ...[5432, 8000].flatMap((port) => [
          `${cluster} -> ${cluster}:${port}`,
          `operator -> ${cluster}:${port}`,
        ]),
        `monitoring -> ${cluster}:9187`,
        // A database pod may connect to port 443 of any address. It needs the Kubernetes API and the backup storage,
        // whose addresses differ between clusters.
        `${cluster} -> stranger:443`,
      ]),
    ]
    const all = [...ours, ...others, ...external]
    const fromOurs = (connection: string) => ours.some(({ name }) => connection.startsWith(`${name} ->`))
    const toOurs = (connection: string) => ours.some(({ name }) => connection.includes(`-> ${name}:`))
    const isOurs = (connection: string) => fromOurs(connection) || toOurs(connection)
    assert.deepEqual(openConnections(manifests, all).filter(isOurs), intended.sort())
    // Without the ingress policies, the egress policies still reject every unintended connection. Without the egress
    // policies, the ingress policies do, except for port 8080 of the gateway, which is open to all.
    const intoOtherThanGateway = (connection: string) =>
      toOurs(connection) && !connection.endsWith('gateway:8080')
    assert.deepEqual(openConnections(manifests, all, ['Egress']).filter(fromOurs), intended.filter(fromOurs))
    assert.deepEqual(
      openConnections(manifests, all, ['Ingress']).filter(intoOtherThanGateway),
      intended.filter(intoOtherThanGateway),
    )
  })
}
