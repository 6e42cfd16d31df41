import type { ChildProcess } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { waitUntil } from '@souk/e2e/support/wait'
import {
  type Cluster,
  HAPROXY_DEFAULTS,
  kill,
  NODES,
  postmasterOf,
  signal,
  Workspace,
  withChildren,
} from './cluster.ts'

/** The shortest that Patroni accepts: after this time without a sign of the primary, a standby takes over. */
const FAILOVER_SECONDS = 20
const WHOLE_WITHIN_MS = 120_000

/**
 * Starts three PostgreSQL servers, which Patroni and etcd manage, behind HAProxy. One standby is synchronous: a commit is
 * acknowledged when it is on the primary and on this standby. Needs the Debian packages patroni, etcd-server, haproxy
 * and postgresql.
 */
export async function startPatroni(): Promise<Cluster> {
  const binaries = globSync('/usr/lib/postgresql/*/bin').at(-1)
  if (!binaries) throw new Error('PostgreSQL is not installed.')
  const workspace = new Workspace('patroni', 'postgres')
  const { folder } = workspace
  const [etcdPort, peerPort, loudPort, quietPort, ...ports] = (await freePorts(10)) as [
    number,
    number,
    number,
    number,
    ...number[],
  ]
  const sqlPort = (node: number) => ports[node - 1]!
  const restPort = (node: number) => ports[node + 2]!
  const rest = (node: number, path: string) =>
    fetch(`http://127.0.0.1:${restPort(node)}/${path}`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    )

  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  workspace.start('etcd', 'etcd', [
    ...['--name', 'one', '--data-dir', join(folder, 'etcd'), '--initial-cluster', `one=${peerUrl}`],
    ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
  ])
  for (const node of NODES)
    workspace.write(
      `node${node}.yml`,
      JSON.stringify(patroniConfig(node, etcdPort, sqlPort, restPort, folder, binaries)),
    )
  const running = new Map<number, ChildProcess>()
  const startNode = (node: number) => {
    const child = workspace.start(`node${node}`, 'patroni', [join(folder, `node${node}.yml`)])
    running.set(node, child)
    child.once('exit', () => running.delete(node))
  }
  for (const node of NODES) startNode(node)
  workspace.start('haproxy', 'haproxy', [
    '-db',
    '-f',
    workspace.write('haproxy.cfg', haproxyConfig(loudPort, quietPort, sqlPort, restPort)),
  ])

  const isWhole = async () => {
    const response = (await Promise.all(NODES.map((node) => rest(node, 'cluster')))).find(Boolean)
    const { members = [] } = ((await response?.json().catch(() => undefined)) ?? {}) as { members?: Member[] }
    const standbys = members.filter(({ role }) => role !== 'leader')
    return (
      members.some(({ role, state }) => role === 'leader' && state === 'running') &&
      standbys.length === NODES.length - 1 &&
      standbys.some(({ role }) => role === 'sync_standby') &&
      standbys.every(({ state, lag }) => /running|streaming/.test(state) && Number(lag ?? 0) < 1_000_000)
    )
  }
  const untilWhole = () => waitUntil(isWhole, WHOLE_WITHIN_MS, `The cluster is incomplete, see ${folder}`)

  const primary = async () => {
    for (const node of NODES) if ((await rest(node, 'primary'))?.ok) return node
    throw new Error('No node is the primary.')
  }
  const frozen: number[] = []
  const injectAtPrimary = (hit: (pids: number[]) => void) => async () => {
    const node = await primary()
    await kill(running.get(node)!)
    hit(postmasterOf(join(folder, `data${node}`)).flatMap(withChildren))
    return `node ${node}`
  }

  await untilWhole()
  const urlAt = (port: number) => `postgres://postgres@127.0.0.1:${port}/postgres`
  return {
    engine: 'postgres',
    nodes: NODES.map((node) => urlAt(sqlPort(node))),
    faults: [
      {
        name: 'primary killed',
        url: urlAt(loudPort),
        inject: injectAtPrimary(([pid]) => signal(pid!, 'SIGKILL')),
      },
      {
        // A stopped process keeps its connections open and answers nothing, as a host without power does.
        name: 'primary silent, and the load balancer closes no connections',
        url: urlAt(quietPort),
        inject: injectAtPrimary((pids) => {
          for (const pid of pids) signal(pid, 'SIGSTOP')
          frozen.push(...pids)
        }),
      },
    ],
    heal: async () => {
      for (const pid of frozen.splice(0)) signal(pid, 'SIGKILL')
      for (const node of NODES) if (!running.has(node)) startNode(node)
      await untilWhole()
    },
    remove: () => workspace.remove(),
  }
}

interface Member {
  role: string
  state: string
  lag?: number | string
}

/** Returns a configuration as JSON, which is YAML too. */
function patroniConfig(
  node: number,
  etcdPort: number,
  sqlPort: (node: number) => number,
  restPort: (node: number) => number,
  folder: string,
  binaries: string,
) {
  const restAddress = `127.0.0.1:${restPort(node)}`
  const sqlAddress = `127.0.0.1:${sqlPort(node)}`
  return {
    scope: 'souk',
    name: `node${node}`,
    restapi: { listen: restAddress, connect_address: restAddress },
    etcd3: { hosts: `127.0.0.1:${etcdPort}` },
    bootstrap: {
      dcs: {
        ttl: FAILOVER_SECONDS,
        loop_wait: 5,
        retry_timeout: 5,
        synchronous_mode: true,
        // Without a synchronous standby, the primary accepts no writes.
        synchronous_mode_strict: true,
        postgresql: {
          use_pg_rewind: true,
          parameters: { max_connections: 200, wal_log_hints: 'on', wal_keep_size: '512MB' },
        },
      },
      initdb: [{ encoding: 'UTF8' }, 'data-checksums'],
      pg_hba: [
        'local all all trust',
        'host all all 127.0.0.0/8 trust',
        'host replication all 127.0.0.0/8 trust',
      ],
    },
    postgresql: {
      listen: sqlAddress,
      connect_address: sqlAddress,
      data_dir: join(folder, `data${node}`),
      bin_dir: binaries,
      pgpass: join(folder, `pgpass${node}`),
      parameters: { unix_socket_directories: folder },
      authentication: {
        superuser: { username: 'postgres', password: 'souk' },
        replication: { username: 'replicator', password: 'souk' },
      },
      remove_data_directory_on_rewind_failure: true,
    },
  }
}

/** `loud` closes the connections to a lost node. `quiet` does not, as a virtual IP address or a Kubernetes Service. */
function haproxyConfig(
  loud: number,
  quiet: number,
  sqlPort: (node: number) => number,
  restPort: (node: number) => number,
): string {
  const servers = NODES.map(
    (node) => `  server node${node} 127.0.0.1:${sqlPort(node)} check port ${restPort(node)}`,
  )
  const listen = (name: string, port: number, more: string) =>
    [
      `listen ${name}`,
      `  bind 127.0.0.1:${port}`,
      '  option httpchk OPTIONS /primary',
      more,
      ...servers,
    ].join('\n')
  return [
    HAPROXY_DEFAULTS,
    listen('loud', loud, '  default-server on-marked-down shutdown-sessions'),
    listen('quiet', quiet, ''),
    '',
  ].join('\n')
}
