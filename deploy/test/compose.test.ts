import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FILES = ['docker-compose.yaml', 'docker-compose.mariadb.yaml', 'docker-compose.monitoring.yaml']
const DOCKERFILES = ['Dockerfile', 'nginx/Dockerfile']
const SERVICES = ['users', 'products', 'orders']
/** An image with a version, and a digest if one is known. */
const IMAGE = /^[\w./-]+:(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?$/
/** Settings that no container may have. */
const FORBIDDEN = ['privileged', 'cap_add', 'devices', 'pid', 'ipc', 'userns_mode']
/** Settings that restrict a container. An overlay must not change them. */
const RESTRICTING = [
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
// The log level hides the parser's warnings about the tag `!override`. Only `docker compose` needs this tag.
const read = (file: string): Compose => parse(textOf(file), { merge: true, logLevel: 'error' })
const base = read(FILES[0]!)

/**
 * Returns a sentence for each privilege that a container has and does not need. With `overlaid`, the file is an
 * overlay: for a container in `overlaid`, returns a sentence if the overlay changes the privileges of the container.
 */
function weaknesses({ services }: Compose, overlaid?: Compose): string[] {
  return Object.entries(services).flatMap(([name, container]) => {
    const found: string[] = []
    const check = (holds: unknown, weakness: string) => holds || found.push(`${name} ${weakness}`)
    for (const volume of container.volumes ?? [])
      check(!volume.includes('docker.sock'), 'controls the container engine')
    if (overlaid?.services[name]) {
      const changed = [...FORBIDDEN, ...RESTRICTING].filter((key) => key in container)
      // The image of an overlay may need another user, which must be unprivileged too.
      const isAllowed = changed.every((key) => key === 'user' && isUnprivileged(container.user))
      check(isAllowed, `changes ${changed}`)
      return found
    }
    check(container.read_only === true, 'can write to its root file system')
    check(`${container.cap_drop}` === 'ALL', 'has capabilities')
    const { security_opt = [] } = container
    check(
      security_opt.some((option) => /^no-new-privileges(:true)?$/.test(option)),
      'may gain privileges',
    )
    check(container.mem_limit && container.pids_limit, 'has no limit of memory or processes')
    check(container.logging?.driver === 'local', 'has a log without a size limit')
    for (const key of FORBIDDEN) check(!(key in container), `has ${key}`)
    check(
      !container.network_mode || container.network_mode === 'none',
      'shares the network of the host or of another container',
    )
    const ours = /^souk-/.test(container.image)
    // The container `secrets` may be root: it writes to volumes that root owns, and it has no network.
    const fillsVolumes = name === 'secrets' && container.network_mode === 'none'
    check(fillsVolumes || (ours ? !container.user : isUnprivileged(container.user)), 'may be root')
    if (!ours) check(IMAGE.test(container.image), 'has an image without a version')
    return found
  })
}

const isUnprivileged = (user = 'root') => !/^(root|0)?(:|$)/.test(user)

const networksOf = ({ networks = {} }: Container) =>
  (Array.isArray(networks) ? networks : Object.keys(networks)).toSorted()

describe('Compose files:', () => {
  for (const file of FILES) {
    it(`the containers of ${file} have no privilege that they do not need`, () => {
      assert.deepEqual(weaknesses(read(file), file === FILES[0] ? undefined : base), [])
    })
  }

  for (const weakness of [
    { user: 'root' },
    { user: '0:0' },
    { read_only: false },
    { cap_add: ['NET_ADMIN'] },
    { cap_drop: [] },
    { security_opt: [] },
    { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] },
    { network_mode: 'host' },
    { mem_limit: '' },
    { logging: { driver: 'json-file' } },
    { image: 'postgres:latest' },
    { image: 'postgres:17@sha256:unknown' },
  ] as Partial<Container>[]) {
    it(`the privilege check rejects a database container with ${JSON.stringify(weakness)}`, () => {
      const fileWith = (database: Container): Compose => ({ services: { database }, networks: {} })
      assert.equal(weaknesses(fileWith({ ...base.services.database!, ...weakness })).length, 1)
      if (!weakness.image) assert.equal(weaknesses(fileWith(weakness as Container), base).length, 1)
    })
  }

  it('every port is published only on the loopback interface, unless SOUK_BIND names another address for the gateway', () => {
    const published = FILES.flatMap((file) =>
      Object.entries(read(file).services).flatMap(([name, { ports = [] }]) =>
        ports.map((port) => `${name} ${port}`),
      ),
    )
    assert.deepEqual(published, [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Compose replaces the variable
      'gateway ${SOUK_BIND:-127.0.0.1}:8080:8080',
      'gateway 127.0.0.1:8001:8001',
      'gateway 127.0.0.1:8002:8002',
      'gateway 127.0.0.1:8003:8003',
      'grafana 127.0.0.1:3000:3000',
    ])
    // Docker Compose reads this file.
    assert.match(textOf('.env'), /^SOUK_BIND=127\.0\.0\.1$/m)
  })

  it('each container is only on the networks that it needs, and only the gateway and Grafana can connect to other machines', () => {
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
    const external = Object.keys(base.networks).filter((name) => !base.networks[name]?.internal)
    assert.deepEqual(external, ['outside'])
    const added = FILES.slice(1).flatMap((file) =>
      Object.entries(read(file).services)
        .filter(([, { networks }]) => networks)
        .map(([name, container]) => `${name}: ${networksOf(container)}`),
    )
    assert.deepEqual(added, [
      ...SERVICES.map((name) => `${name}: monitoring`),
      'prometheus: monitoring',
      // A container that is only on internal networks cannot publish a port, so Grafana is also on `default`.
      'grafana: default,monitoring',
    ])
  })

  it('every secret in the environment of a container is the path of a file in /run/secrets', () => {
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

  it('by default, the gateway trusts no proxy and allows no other origin (CORS)', () => {
    for (const setting of ['SOUK_TRUSTED_PROXY=255.255.255.255', 'SOUK_CORS_ORIGINS=']) {
      assert.match(textOf('nginx/Dockerfile'), new RegExp(`^ENV (.+ )?${RegExp.escape(setting)}( |$)`, 'm'))
      const [name] = setting.split('=') as [string]
      for (const file of FILES) assert.ok(!textOf(file).includes(name), file)
    }
  })

  it('a container starts after the containers that it depends on are ready, and restarts if it ends', () => {
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

  for (const file of DOCKERFILES) {
    it(`${file} sets an unprivileged user, a health check and base images with a version`, () => {
      const instructions = textOf(file)
        .replaceAll(/^#.*\n/gm, '')
        .replaceAll('\\\n', '')
        .split('\n')
      const last = (name: string) => instructions.findLast((line) => line.startsWith(`${name} `))
      assert.match(last('USER')!, /^USER [1-9]\d*:[1-9]\d*$/)
      assert.ok(instructions.lastIndexOf(last('USER')!) > instructions.lastIndexOf(last('FROM')!))
      assert.match(last('HEALTHCHECK')!, /CMD \["/)
      // A command in the form of a list runs without a shell. A shell would not forward SIGTERM to the process.
      assert.match(last('CMD')!, /^CMD \["/)
      const froms = instructions.filter((line) => line.startsWith('FROM '))
      for (const from of froms) assert.match(from.split(' ')[1]!, IMAGE)
      assert.ok(instructions.some((line) => /^RUN npm ci .*--omit=dev/.test(line)))
    })
  }
})
