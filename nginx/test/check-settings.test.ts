import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gatewaySettings } from '@souk/dev-env/gateway/config'
import { NGINX } from '@souk/dev-env/gateway/nginx-config'
import { readConfig } from '@souk/service-kit/process/config'

/** The gateway starts in two ways; both check the same setting. Each function throws an Error if the check fails. */
const CHECKS = {
  'The image of nginx': (SOUK_CORS_ORIGINS: string) => {
    const { status, stderr } = spawnSync(join(NGINX, 'check-settings.sh'), { env: { SOUK_CORS_ORIGINS } })
    if (status !== 0) throw new Error(stderr.toString())
  },
  'A gateway that npm start starts': (SOUK_CORS_ORIGINS: string) =>
    readConfig(gatewaySettings, { SOUK_CORS_ORIGINS }),
}

for (const [gateway, check] of Object.entries(CHECKS)) {
  describe(gateway, () => {
    for (const origins of [
      '',
      'https://shop.example',
      'https://shop.example,http://localhost:5173,http://[::1]:8080',
    ])
      it(`accepts the value "${origins}" of SOUK_CORS_ORIGINS`, () => void check(origins))

    for (const origins of [
      'null',
      '*',
      'https://*.shop.example',
      'https://shop.example/',
      'https://shop.example/path',
      'https://shop.example?x',
      'https://user@shop.example',
      'HTTPS://shop.example',
      'shop.example',
      'ftp://shop.example',
      'https://shop.example:port',
      'https://a.example https://b.example',
      'https://a.example,',
      'https://a.example\nhttps://b.example',
      'https://a|https://b',
      String.raw`https://shop\.example`,
    ]) {
      it(`rejects the value ${JSON.stringify(origins)} of SOUK_CORS_ORIGINS and names the setting`, () => {
        assert.throws(() => check(origins), /SOUK_CORS_ORIGINS.*such as https:\/\/shop\.example/s)
      })
    }
  })
}
