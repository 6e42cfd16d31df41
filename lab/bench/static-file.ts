import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnNginx } from '@souk/dev-env/gateway/nginx'
import { freePorts } from '@souk/dev-env/launcher/ports'

const STARTED_WITHIN_MS = 5_000

/** What nginx can do at best: it serves `text` from a file, at `/file.json`, and does nothing else, no log either. */
export async function serveStaticFile(text: string): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-static-'))
  const [port] = (await freePorts(1)) as [number]
  const url = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'file.json'), text)
  const configFile = join(folder, 'nginx.conf')
  writeFileSync(
    configFile,
    `worker_processes auto; pid ${folder}/pid; events { worker_connections 4096; }
     http {
       access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000; default_type application/json;
       server { listen 127.0.0.1:${port}; root ${folder}; }
     }`,
  )
  const nginx = spawnNginx(configFile)
  const ended = once(nginx, 'close')
  const deadline = performance.now() + STARTED_WITHIN_MS
  while (!(await fetch(`${url}/file.json`).catch(() => undefined))?.ok) {
    if (performance.now() > deadline) throw new Error('nginx does not serve the file')
    await sleep(50)
  }
  const stop = async () => {
    nginx.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  }
  return { url: `${url}/file.json`, stop }
}
