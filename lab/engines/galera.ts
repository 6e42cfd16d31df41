import { type ChildProcess, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '@souk/dev-env/launcher/ports'
import { runSql } from '@souk/e2e/support/database'
import { waitUntil } from '@souk/e2e/support/wait'
import { type Cluster, HAPROXY_DEFAULTS, kill, NODES, Workspace } from './cluster.ts'

const PROVIDER = '/usr/lib/galera/libgalera_smm.so'
const WHOLE_WITHIN_MS = 120_000

/**
 * Starts three MariaDB servers as a Galera cluster behind HAProxy. Each node accepts writes, and a commit is
 * acknowledged when all nodes have received it. Needs the Debian packages mariadb-server, galera-4, haproxy and rsync.
 */
export async function startGalera(): Promise<Cluster> {
  if (!existsSync(PROVIDER)) throw new Error('Galera is not installed.')
  const workspace = new Workspace('galera', 'mysql')
  const { folder } = workspace
  const [oneWriter, allWriters, ...ports] = (await freePorts(2 + 4 * NODES.length)) as [
    number,
    number,
    ...number[],
  ]
  const port = (node: number, use: 'sql' | 'group' | 'snapshot' | 'increment') =>
    ports[4 * (node - 1) + ['sql', 'group', 'snapshot', 'increment'].indexOf(use)]!
  const urlAt = (at: number) => `mysql://root@127.0.0.1:${at}/`
  const urlOf = (node: number) => urlAt(port(node, 'sql'))

  const running = new Map<number, ChildProcess>()
  const argumentsOf = (node: number) => [
    '--no-defaults',
    ...[
      `--datadir=${folder}/data${node}`,
      // When a node starts, it deletes all temporary tables in this folder, also those of other nodes.
      `--tmpdir=${folder}/temporary${node}`,
      `--socket=${folder}/socket${node}`,
      `--pid-file=${folder}/pid${node}`,
    ],
    ...[`--port=${port(node, 'sql')}`, '--bind-address=127.0.0.1', '--skip-name-resolve'],
    ...['--innodb-flush-log-at-trx-commit=1', '--innodb-autoinc-lock-mode=2', '--binlog-format=ROW'],
    ...[
      '--max-connections=300',
      '--wsrep-on=ON',
      `--wsrep-provider=${PROVIDER}`,
      '--wsrep-cluster-name=souk',
    ],
    `--wsrep-cluster-address=gcomm://${NODES.map((one) => `127.0.0.1:${port(one, 'group')}`).join(',')}`,
    ...[`--wsrep-node-name=node${node}`, `--wsrep-node-address=127.0.0.1:${port(node, 'group')}`],
    ...['--wsrep-sst-method=rsync', `--wsrep-sst-receive-address=127.0.0.1:${port(node, 'snapshot')}`],
    `--wsrep-provider-options=base_host=127.0.0.1;base_port=${port(node, 'group')};gmcast.listen_addr=tcp://127.0.0.1:${port(node, 'group')};ist.recv_addr=127.0.0.1:${port(node, 'increment')};gcache.size=256M`,
  ]
  const startNode = (node: number, ...more: string[]) => {
    const child = workspace.start(`node${node}`, 'mariadbd', [...argumentsOf(node), ...more])
    running.set(node, child)
    child.once('exit', () => running.delete(node))
  }
  /** After a kill, InnoDB knows the last commit. With it, the node receives only what it has missed. */
  const startAgain = (node: number) => {
    const log = join(folder, `recovery${node}.log`)
    spawnSync(
      'mariadbd',
      [...argumentsOf(node), `--log-error=${log}`, '--wsrep-recover'],
      workspace.options(),
    )
    const position = readFileSync(log, 'utf8')
      .match(/Recovered position:?\s*(\S+)/g)
      ?.at(-1)
      ?.split(/\s+/)
      .at(-1)
    startNode(node, ...(position ? [`--wsrep-start-position=${position}`] : []))
  }

  const status = async (node: number) => {
    const rows = await runSql<{ name: string; value: string }>(
      urlOf(node),
      `select lower(variable_name) as name, variable_value as value from information_schema.global_status
       where variable_name in ('wsrep_cluster_size', 'wsrep_cluster_status', 'wsrep_local_state')`,
    ).catch(() => [])
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  }
  const isMember = async (node: number, size: number) => {
    const { wsrep_cluster_size, wsrep_cluster_status, wsrep_local_state } = await status(node)
    return (
      wsrep_cluster_status === 'Primary' && wsrep_local_state === '4' && Number(wsrep_cluster_size) >= size
    )
  }
  const untilMember = (node: number, size: number) =>
    waitUntil(() => isMember(node, size), WHOLE_WITHIN_MS, `Node ${node} is not a member, see ${folder}`)

  for (const node of NODES) {
    workspace.createFolder(`data${node}`)
    workspace.createFolder(`temporary${node}`)
    const args = [
      '--no-defaults',
      `--datadir=${folder}/data${node}`,
      '--auth-root-authentication-method=normal',
    ]
    const created = spawnSync('mariadb-install-db', [...args, '--skip-test-db'], {
      ...workspace.options(),
      encoding: 'utf8',
    })
    if (created.status !== 0) throw new Error(`mariadb-install-db: ${created.stderr}`)
    // One after the other, because a node sends its data to only one new node at a time.
    startNode(node, ...(node === 1 ? ['--wsrep-new-cluster'] : []))
    await untilMember(node, node)
  }
  workspace.write('is-member', IS_MEMBER, 0o755)
  workspace.start('haproxy', 'haproxy', [
    '-db',
    '-f',
    workspace.write(
      'haproxy.cfg',
      haproxyConfig(oneWriter, allWriters, (node) => port(node, 'sql'), folder),
    ),
  ])
  await waitUntil(
    () =>
      runSql(urlAt(allWriters), 'select 1').then(
        () => true,
        () => false,
      ),
    WHOLE_WITHIN_MS,
    'HAProxy finds no node',
  )

  let next = 0
  const writer = async () => {
    const [row] = await runSql<{ port: number }>(urlAt(oneWriter), 'select @@port as port')
    return NODES.find((node) => port(node, 'sql') === Number(row?.port))!
  }
  const killNode = async (node: number) => {
    await kill(running.get(node)!)
    return `node ${node}`
  }
  const setIsolation = (node: number, isolated: 0 | 1) =>
    runSql(urlOf(node), `set global wsrep_provider_options = 'gmcast.isolate=${isolated}'`)
  const isolated: number[] = []
  const frozen: number[] = []
  return {
    engine: 'mysql',
    nodes: NODES.map(urlOf),
    faults: [
      {
        name: 'a node killed, and all nodes accept writes',
        url: urlAt(allWriters),
        inject: () => killNode(NODES[next++ % NODES.length]!),
      },
      {
        name: 'the writer killed',
        url: urlAt(oneWriter),
        inject: async () => killNode(await writer()),
      },
      {
        name: 'the writer isolated from the others',
        url: urlAt(oneWriter),
        inject: async () => {
          const node = await writer()
          await setIsolation(node, 1)
          isolated.push(node)
          return `node ${node}`
        },
      },
      {
        name: 'the writer silent',
        url: urlAt(oneWriter),
        inject: async () => {
          const node = await writer()
          running.get(node)!.kill('SIGSTOP')
          frozen.push(node)
          return `node ${node}`
        },
      },
    ],
    heal: async () => {
      for (const node of frozen.splice(0)) running.get(node)?.kill('SIGCONT')
      for (const node of isolated.splice(0)) await setIsolation(node, 0).catch(() => {})
      // A node that was away may end by itself when it cannot catch up. Started again, it receives all data.
      const isWhole = async () => {
        for (const node of NODES) if (!running.has(node)) startAgain(node)
        return (await Promise.all(NODES.map((node) => isMember(node, NODES.length)))).every(Boolean)
      }
      await waitUntil(isWhole, WHOLE_WITHIN_MS, `The cluster is incomplete, see ${folder}`)
    },
    remove: () => workspace.remove(),
  }
}

/** HAProxy's check of a node, whose address is $3 and whose port is $4: is it in sync (4) with the majority? */
const IS_MEMBER = `#!/bin/sh
[ "$(timeout 2 mariadb -uroot -h"$3" -P"$4" --connect-timeout=1 -NBe "select group_concat(variable_value order by
  variable_name) from information_schema.global_status
  where variable_name in ('wsrep_cluster_status', 'wsrep_local_state')")" = Primary,4 ]
`

/** `one` leads to one node until that node fails. `all` leads to all nodes in turn. */
function haproxyConfig(one: number, all: number, sqlPort: (node: number) => number, folder: string): string {
  const server = (node: number, more: string) => `  server node${node} 127.0.0.1:${sqlPort(node)} ${more}`
  return `global
  external-check
  insecure-fork-wanted
${HAPROXY_DEFAULTS}
  default-server on-marked-down shutdown-sessions
listen one
  bind 127.0.0.1:${one}
  option external-check
  external-check path "/usr/bin:/bin"
  external-check command ${folder}/is-member
  stick-table type integer size 1
  stick on int(1)
${NODES.map((node) => server(node, node === 1 ? 'check' : 'check backup')).join('\n')}
listen all
  bind 127.0.0.1:${all}
  balance roundrobin
${NODES.map((node) => server(node, `track one/node${node}`)).join('\n')}
`
}
