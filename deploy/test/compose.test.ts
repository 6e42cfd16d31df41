import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FILES = ['docker-compose.yaml', 'docker-compose.mariadb.yaml', 'docker-compose.monitoring.yaml']
const DOCKERFILES = { service: 'Dockerfile', gateway: 'nginx/Dockerfile' }
const SERVICES = ['users', 'products', 'orders']
/** Settings that no container may have. */
const FORBIDDEN = ['privileged', 'cap_add', 'devices', 'pid', 'ipc', 'userns_mode']
/** Settings that confine a container: an overlay must not change them. */
const CONFINING = [
  ...['network_mode', 'security_opt', 'read_only', 'cap_drop', 'user'],
  ...['mem_limit', 'pids_limit', 'logging'],
]

interface Container {
  image: string
  user?: string
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  network_mode?: string
  networks?: string[] | Record<string, unknown>
  ports?: string[]
  volumes?: string[]
  environment?: Record<string, string>
  env_file?: string
  mem_limit?: string
  pids_limit?: number
  restart?: string
  logging?: { driver: string }
  depends_on?: Record<string, { condition: string }>
}
interface Compose {
  services: Record<string, Container>
  networks: Record<string, { internal?: boolean } | null>
}

const textOf = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8')
// The tag `!override` only matters when compose merges files, which this test does not do.
const read = (file: string): Compose => parse(textOf(file), { merge: true, logLevel: 'error' })
const base = read(FILES[0]!)

/**
 * Returns one sentence for each privilege that a container has and does not need. With `below`, the file is an overlay of
 * `below` and must not loosen the containers that are there already.
 */
function weaknesses({ services }: Compose, below?: Compose): string[] {
  return Object.entries(services).flatMap(([name, container]) => {
    const found: string[] = []
    const check = (holds: unknown, weakness: string) => holds || found.push(`${name} ${weakness}`)
    for (const volume of container.volumes ?? [])
      check(!volume.includes('docker.sock'), 'controls the container engine')
    if (below?.services[name]) {
      const loosened = [...FORBIDDEN, ...CONFINING].filter((key) => key in container)
      // An overlay may bring another image, and with it another unprivileged user.
      check(
        loosened.every((key) => key === 'user' && isUnprivileged(container.user)),
        `loosens ${loosened}`,
      )
      return found
    }
    check(container.read_only === true, 'writes to its own file system')
    check(`${container.cap_drop}` === 'ALL', 'has capabilities')
    check(
      container.security_opt?.some((option) => /^no-new-privileges(:true)?$/.test(option)),
      'may gain privileges',
    )
    check(container.mem_limit && container.pids_limit, 'has no limit of memory or processes')
    check(container.logging?.driver === 'local', 'fills the disk with its log')
    for (const key of FORBIDDEN) check(!(key in container), `has ${key}`)
    check(!container.network_mode || container.network_mode === 'none', 'shares the network of another')
    const ours = /^souk-/.test(container.image)
    // This one is root, because it fills volumes that belong to root; it has no network.
    const fillsVolumes = name === 'secrets' && container.network_mode === 'none'
    check(fillsVolumes || (ours ? !container.user : isUnprivileged(container.user)), 'may be root')
    if (!ours) check(/:(?!latest$)[\w.-]+$/.test(container.image), 'has an image without a version')
    return found
  })
}

const isUnprivileged = (user = 'root') => !/^(root|0)?(:|$)/.test(user)

const networksOf = ({ networks = {} }: Container) =>
  (Array.isArray(networks) ? networks : Object.keys(networks)).toSorted()

describe('compose files', () => {
  for (const file of FILES) {
    it(`the containers of ${file} are not root, cannot write to their files and have no capability`, () => {
      assert.deepEqual(weaknesses(read(file), file === FILES[0] ? undefined : base), [])
    })
  }

  for (const [what, change] of [
    ['the user root', { user: 'root' }],
    ['the user 0', { user: '0:0' }],
    ['a container that writes to its files', { read_only: false }],
    ['a container with a capability', { cap_add: ['NET_ADMIN'] }],
    ['a container that drops no capability', { cap_drop: [] }],
    ['a container that may gain privileges', { security_opt: [] }],
    [
      'a container that controls the container engine',
      { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] },
    ],
    ['a container on the network of its host', { network_mode: 'host' }],
    ['a container without a memory limit', { mem_limit: '' }],
    ['a container whose log grows without limit', { logging: { driver: 'json-file' } }],
    ['an image without a version', { image: 'postgres:latest' }],
  ] as [string, Partial<Container>][]) {
    it(`the check finds ${what}, in the first file and in an overlay`, () => {
      const loosened = (container: Container): Compose => ({
        services: { database: container },
        networks: {},
      })
      const database = base.services.database!
      assert.equal(weaknesses(loosened({ ...database, ...change })).length, 1)
      if (!change.image) assert.equal(weaknesses(loosened(change as Container), base).length, 1)
    })
  }

  it('only the gateway is published to other machines, and the services only to this one', () => {
    const published = FILES.flatMap((file) =>
      Object.entries(read(file).services).flatMap(([name, { ports = [] }]) =>
        ports.map((port) => `${name} ${port}`),
      ),
    )
    assert.deepEqual(published, [
      'gateway 8080:8080',
      'gateway 127.0.0.1:8001:8001',
      'gateway 127.0.0.1:8002:8002',
      'gateway 127.0.0.1:8003:8003',
      'grafana 127.0.0.1:3000:3000',
    ])
  })

  it('containers share networks only with those they need, and only the gateway has a way out', () => {
    const on = (network: string) =>
      Object.keys(base.services)
        .filter((name) => networksOf(base.services[name]!).includes(network))
        .toSorted()
    assert.deepEqual(on('outside'), ['gateway'])
    assert.deepEqual(on('services'), ['gateway', ...SERVICES].toSorted())
    assert.deepEqual(on('bookings'), ['orders', 'products'])
    assert.deepEqual(
      on('databases'),
      ['database', ...SERVICES, ...SERVICES.map((name) => `${name}-migration`)].toSorted(),
    )
    const withWayOut = Object.keys(base.networks).filter((name) => !base.networks[name]?.internal)
    assert.deepEqual(withWayOut, ['outside'])
    const added = FILES.slice(1).flatMap((file) =>
      Object.entries(read(file).services)
        .filter(([, { networks }]) => networks)
        .map(([name, container]) => `${name}: ${networksOf(container)}`),
    )
    assert.deepEqual(added, [
      ...SERVICES.map((name) => `${name}: monitoring`),
      'prometheus: monitoring',
      // A container with a published port must be on a network with a way out.
      'grafana: default,monitoring',
    ])
  })

  it('no container gets a secret in its environment', () => {
    for (const file of FILES) {
      for (const [name, { environment = {}, env_file }] of Object.entries(read(file).services)) {
        const lines = env_file ? textOf(env_file).split('\n') : []
        const settings = [
          ...Object.entries(environment).map(([key, value]) => `${key}=${value}`),
          ...lines.filter((line) => /^\w/.test(line)),
        ]
        const secrets = settings.filter((setting) => /^\w*(SECRET|PASSWORD|DATABASE_URL)\w*=./.test(setting))
        for (const setting of secrets) assert.match(setting, /^\w+_FILE=\/run\/secrets\//, name)
        if (env_file) assert.ok(secrets.length > 0, name)
      }
    }
  })

  it('the gateway trusts no proxy and allows no other origin by default', () => {
    for (const setting of ['SOUK_TRUSTED_PROXY=255.255.255.255', 'SOUK_CORS_ORIGINS=-']) {
      assert.match(textOf(DOCKERFILES.gateway), new RegExp(`^ENV (.+ )?${RegExp.escape(setting)}( |$)`, 'm'))
      const [name] = setting.split('=') as [string]
      for (const file of FILES) assert.ok(!textOf(file).includes(name), file)
    }
  })

  it('containers start after those they need are ready, and restart when they end', () => {
    for (const service of SERVICES) {
      assert.deepEqual(base.services[service]!.depends_on, {
        [`${service}-migration`]: { condition: 'service_completed_successfully' },
      })
      assert.deepEqual(base.services[`${service}-migration`]!.depends_on, {
        database: { condition: 'service_healthy' },
      })
      assert.deepEqual(base.services.gateway!.depends_on![service], { condition: 'service_healthy' })
    }
    for (const name of ['gateway', 'database', ...SERVICES])
      assert.equal(base.services[name]!.restart, 'unless-stopped', name)
  })

  for (const [image, file] of Object.entries(DOCKERFILES)) {
    it(`the image of the ${image} runs as a user, has a base with a version and a health check`, () => {
      const instructions = textOf(file)
        .replaceAll(/^#.*\n/gm, '')
        .replaceAll('\\\n', '')
        .split('\n')
      const last = (name: string) => instructions.findLast((line) => line.startsWith(`${name} `))
      assert.match(last('USER')!, /^USER [1-9]\d*:[1-9]\d*$/)
      assert.ok(instructions.lastIndexOf(last('USER')!) > instructions.lastIndexOf(last('FROM')!))
      assert.match(last('HEALTHCHECK')!, /CMD \["/)
      // Without a shell in between, SIGTERM reaches the process.
      assert.match(last('CMD')!, /^CMD \["/)
      const froms = instructions.filter((line) => line.startsWith('FROM '))
      for (const from of froms) assert.match(from, /^FROM [a-z]+:(?!latest)[\w.-]+( AS \w+)?$/)
      assert.ok(instructions.some((line) => /^RUN npm ci .*--omit=dev/.test(line)))
    })
  }
})
