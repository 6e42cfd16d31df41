import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { busyPorts, freePorts } from '../../src/launcher/ports.ts'
import { busyPortsMessage, duplicatePortsMessage } from '../../src/launcher/start-messages.ts'

const PORTS = { gateway: 8080, users: 8001, products: 8002, productsInternal: 9002, orders: 8003 }

describe('busyPorts', () => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    it(`returns a port on which a server listens at ${host}, until the server closes`, async () => {
      const [port, free] = (await freePorts(2)) as [number, number]
      const server = createServer().listen(port, host)
      await once(server, 'listening')
      assert.deepEqual(await busyPorts([port, free]), [port])
      server.close()
      await once(server, 'close')
      assert.deepEqual(await busyPorts([port, free]), [])
    })
  }
})

describe('freePorts', () => {
  it('never returns the same port twice', async () => {
    const ports = [...(await freePorts(50)), ...(await freePorts(50))]
    assert.equal(new Set(ports).size, 100)
  })
})

describe('npm start', () => {
  it('names each busy port and the variable that sets the port', () => {
    const message = busyPortsMessage(PORTS, [8002, 8080])
    assert.match(message, /port 8080 \(GATEWAY_PORT\)/)
    assert.match(message, /port 8002 \(PRODUCTS_PORT\)/)
    assert.match(message, /GATEWAY_PORT=18080 PRODUCTS_PORT=18002 npm start/)
    assert.doesNotMatch(message, /8001/)
  })

  it('names two variables that set the same port', () => {
    assert.equal(duplicatePortsMessage(PORTS), undefined)
    assert.match(
      duplicatePortsMessage({ ...PORTS, orders: 8001 })!,
      /USERS_PORT and ORDERS_PORT are both 8001/,
    )
  })
})
