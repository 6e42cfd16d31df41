import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ManagedProcess } from '@souk/dev-env/launcher/managed-process'
import { buildPages } from '@souk/dev-env/pages/build-pages'
import { gatewayContract } from '../../packages/dev-env/test/gateway/gateway-contract.ts'
import { nginxSpec, openNginx, skipWithoutNginx } from './support/nginx.ts'

describe('nginx', skipWithoutNginx, () => {
  gatewayContract(async (urls, SOUK_CORS_ORIGINS = '') =>
    openNginx(urls, { SOUK_CORS_ORIGINS, SOUK_WEB: await buildPages() }),
  )

  it('ends when ManagedProcess kills the parent process of nginx', async () => {
    const spec = await nginxSpec()
    const nginx = new ManagedProcess(spec)
    await nginx.start()
    await nginx.kill()
    await assert.rejects(fetch(spec.readyUrl))
  })
})
