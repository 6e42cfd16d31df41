import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inflateSync } from 'node:zlib'
import { DEMO_PRODUCTS } from '../../src/demo/products.ts'
import { tilePng } from '../../src/demo/tile.ts'

const IDS = DEMO_PRODUCTS.map(({ id }) => id)

/** Returns the data of the chunks of a PNG file by their type. */
function chunksOf(png: Buffer): Record<string, Buffer> {
  const chunks: Record<string, Buffer> = {}
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    chunks[png.toString('latin1', at + 4, at + 8)] = png.subarray(at + 8, at + 8 + length)
    at += 12 + length
  }
  return chunks
}

describe('the pictures of the demo products', () => {
  it('are PNG files of at most 40 kB with complete rows and known colours', () => {
    for (const id of IDS) {
      const png = tilePng(id)
      assert.ok(png.length <= 40_000, `product ${id}: ${png.length} bytes`)
      const { IHDR, PLTE, IDAT, IEND } = chunksOf(png)
      const [width, height] = [IHDR!.readUInt32BE(0), IHDR!.readUInt32BE(4)]
      const rows = inflateSync(IDAT!)
      assert.deepEqual([width, height, rows.length, IEND?.length], [480, 480, 481 * 480, 0])
      const colours = PLTE!.length / 3
      assert.ok(colours > 7 && colours <= 256, `product ${id}: ${colours} colours`)
      assert.ok(rows.every((index) => index < colours))
    }
  })

  it('all differ, and are the same each time', () => {
    const pictures = IDS.map((id) => tilePng(id).toString('latin1'))
    assert.equal(new Set(pictures).size, IDS.length)
    assert.equal(tilePng(1).toString('latin1'), pictures[0])
  })
})
