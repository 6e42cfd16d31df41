import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FILES = ['docker-compose.yaml', 'docker-compose.mariadb.yaml', 'docker-compose.monitoring.yaml']
const DOCKERFILES = { service: 'Dockerfile', gateway: 'nginx/Dockerfile' }
const SERVICES = ['users', 'products', 'orders']
/** What no container is given. */
const FORBIDDEN = ['privileged', 'cap_add', 'devices', 'pid', 'ipc', 'userns_mode']
/** What confines one: a file over the first says it anew for none that is there. */
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
// `!override` says how files are put together, which is not done here.
const read = (file: string): Compose => parse(textOf(file), { merge: true, logLevel: 'error' })
const base = read(FILES[0]!)

/** What a compose file's containers could do beyond what they need, a sentence each. */
function weaknesses({ services }: Compose, below?: Compose): string[] {
  return Object.entries(services).flatMap(([name, container]) => {
    const found: string[] = []
    const must = (holds: unknown, what: string) => holds || found.push(`${name} ${what}`)
    for (const volume of container.volumes ?? []) must(!volume.includes('docker.sock'), 'rules the engine')
    const under = below?.services[name]
    if (under) {
      const loosened = [...FORBIDDEN, ...CONFINING].filter((key) => key in container)
      // Whose image it is may change, and with it who it runs as.
      must(
        loosened.every((key) => key === 'user' && isNobodyMuch(container.user)),
        `loosens ${loosened}`,
      )
      return found
    }
    must(container.read_only === true, 'writes to its own files')
    must(`${container.cap_drop}` === 'ALL', 'has capabilities')
    must(
      container.security_opt?.some((option) => /^no-new-privileges(:true)?$/.test(option)),
      'may gain privileges',
    )
    must(container.mem_limit && container.pids_limit, 'takes what it likes of the machine')
    must(container.logging?.driver === 'local', 'fills the disk with its log')
    for (const key of FORBIDDEN) must(!(key in container), `has ${key}`)
    must(!container.network_mode || container.network_mode === 'none', 'shares a network that is not its own')
    const ours = /^souk-/.test(container.image)
    // It owns the volumes that it fills, which are root's; it talks to nobody.
    const fillsVolumes = name === 'secrets' && container.network_mode === 'none'
    must(fillsVolumes || (ours ? !container.user : isNobodyMuch(container.user)), 'may be root')
    if (!ours) must(/:(?!latest$)[\w.-]+$/.test(container.image), 'takes whatever image is newest')
    return found
  })
}

const isNobodyMuch = (user = 'root') => !/^(root|0)?(:|$)/.test(user)

const networksOf = ({ networks = {} }: Container) =>
  (Array.isArray(networks) ? networks : Object.keys(networks)).toSorted()

describe('the containers', () => {
  for (const file of FILES) {
    it(`of ${file} are not root, write to none of their files and have no capability`, () => {
      assert.deepEqual(weaknesses(read(file), file === FILES[0] ? undefined : base), [])
    })
  }

  for (const [what, change] of [
    ['root', { user: 'root' }],
    ['root by number', { user: '0:0' }],
    ['one that writes to its files', { read_only: false }],
    ['one with a capability', { cap_add: ['NET_ADMIN'] }],
    ['one that keeps its capabilities', { cap_drop: [] }],
    ['one that may gain privileges', { security_opt: [] }],
    ['one that rules the engine', { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] }],
    ['one on the network of its host', { network_mode: 'host' }],
    ['one without a limit of memory', { mem_limit: '' }],
    ['one that keeps its log for ever', { logging: { driver: 'json-file' } }],
    ['one of the newest image', { image: 'postgres:latest' }],
  ] as [string, Partial<Container>][]) {
    it(`would be found out with ${what} among them, in the file or in one over it`, () => {
      const loosened = (container: Container): Compose => ({
        services: { database: container },
        networks: {},
      })
      const database = base.services.database!
      assert.equal(weaknesses(loosened({ ...database, ...change })).length, 1)
      if (!change.image) assert.equal(weaknesses(loosened(change as Container), base).length, 1)
    })
  }

  it('are reached from outside through the gateway alone, and from this machine at the seed’s addresses', () => {
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

  it('meet only whom they need, and the gateway alone has a way out', () => {
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
    const leadOut = Object.keys(base.networks).filter((name) => !base.networks[name]?.internal)
    assert.deepEqual(leadOut, ['outside'])
    const added = FILES.slice(1).flatMap((file) =>
      Object.entries(read(file).services)
        .filter(([, { networks }]) => networks)
        .map(([name, container]) => `${name}: ${networksOf(container)}`),
    )
    assert.deepEqual(added, [
      ...SERVICES.map((name) => `${name}: monitoring`),
      'prometheus: monitoring',
      // To be published it has to be on a network with a way out.
      'grafana: default,monitoring',
    ])
  })

  it('are told no secret in their environment', () => {
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

  it('have a gateway that believes no proxy and lets no other page in, until it is told to', () => {
    for (const setting of ['SOUK_TRUSTED_PROXY=255.255.255.255', 'SOUK_CORS_ORIGINS=-']) {
      assert.match(textOf(DOCKERFILES.gateway), new RegExp(`^ENV (.+ )?${RegExp.escape(setting)}( |$)`, 'm'))
      const [name] = setting.split('=') as [string]
      for (const file of FILES) assert.ok(!textOf(file).includes(name), file)
    }
  })

  it('begin when what they need is there, and come back when they have ended', () => {
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
    it(`have an image of ${image} that is not root, of a base with a tag, and tells whether it is well`, () => {
      const instructions = textOf(file)
        .replaceAll(/^#.*\n/gm, '')
        .replaceAll('\\\n', '')
        .split('\n')
      const last = (name: string) => instructions.findLast((line) => line.startsWith(`${name} `))
      assert.match(last('USER')!, /^USER [1-9]\d*:[1-9]\d*$/)
      assert.ok(instructions.lastIndexOf(last('USER')!) > instructions.lastIndexOf(last('FROM')!))
      assert.match(last('HEALTHCHECK')!, /CMD \["/)
      // Without a shell in between, SIGTERM reaches what runs.
      assert.match(last('CMD')!, /^CMD \["/)
      const froms = instructions.filter((line) => line.startsWith('FROM '))
      for (const from of froms) assert.match(from, /^FROM [a-z]+:(?!latest)[\w.-]+( AS \w+)?$/)
      assert.ok(instructions.some((line) => /^RUN npm ci .*--omit=dev/.test(line)))
    })
  }
})
