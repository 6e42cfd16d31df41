import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from '@souk/dev-env/launcher/ports'

const run = promisify(execFile)
const PROMETHEUS = '/usr/bin/prometheus'
const CONFIG = new URL('../../monitoring/prometheus.yml', import.meta.url)
const READY_MS = 30_000

/** Whether this machine has Prometheus. @throws Error when it has not and must (`REQUIRE_PROMETHEUS=1`) */
export function hasPrometheus(): boolean {
  try {
    accessSync(PROMETHEUS)
    return true
  } catch {
    if (process.env.REQUIRE_PROMETHEUS)
      throw new Error('Prometheus is required; install the package prometheus.')
    return false
  }
}

export interface Prometheus {
  /** What a query answers just now, without what is not a number. */
  query(promQl: string): Promise<{ labels: Record<string, string>; value: number }[]>
  stop(): Promise<void>
}

/** Prometheus with the configuration of `deploy/monitoring`, but for where the services are: `host:port` by name. */
export async function startPrometheus(services: Record<string, string>): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-prometheus-'))
  const config = join(folder, 'prometheus.yml')
  writeFileSync(config, withTargets(readFileSync(CONFIG, 'utf8'), services))
  await run('promtool', ['check', 'config', config])
  const [port] = await freePorts(1)
  const options = {
    'config.file': config,
    'storage.tsdb.path': join(folder, 'data'),
    'web.listen-address': `127.0.0.1:${port}`,
  }
  const child = spawn(
    PROMETHEUS,
    Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    { stdio: 'ignore' },
  )
  const ended = once(child, 'exit')
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  }
  await untilReady(`${url}/-/ready`).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { query: (promQl) => query(url, promQl), stop }
}

/** As the DNS would have it: an address and the name that it was found by. */
function withTargets(config: string, services: Record<string, string>): string {
  const found = Object.entries(services).map(
    ([name, target]) => `      - targets: ['${target}']\n        labels: { __meta_dns_name: ${name} }\n`,
  )
  const adapted = config.replace(/dns_sd_configs:\n( {6,}.*\n)+/, `static_configs:\n${found.join('')}`)
  if (adapted === config) throw new Error('There is no dns_sd_configs to put the targets in place of.')
  return adapted
}

async function query(url: string, promQl: string) {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: promQl })}`)
  const { data, error } = (await response.json()) as {
    data?: { result: { metric: Record<string, string>; value: [number, string] }[] }
    error?: string
  }
  if (!data) throw new Error(`${promQl}: ${error}`)
  return data.result
    .map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    .filter(({ value }) => !Number.isNaN(value))
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + READY_MS
  while (Date.now() < deadline) {
    const ready = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (ready) return
    await sleep(100)
  }
  throw new Error(`Prometheus was not ready within ${READY_MS / 1_000} s`)
}
