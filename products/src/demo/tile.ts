/**
 * Draws tile patterns in the manner of zellige, the mosaics of Morocco: stars with eight points, each at the centre of an
 * octagon, and stars with four points in the squares between the octagons.
 *
 * The method is Hankin's: two straight lines start at the middle of each edge of a polygon and continue until they meet
 * other lines. Source: Craig Kaplan, "Islamic Star Patterns from Polygons in Contact", Graphics Interface 2005.
 */
import { encodePng } from './png.ts'

/** The colours of the pieces and lines of a tile, as hexadecimal numbers. */
interface Palette {
  field: string
  points: string
  ring: string
  centre: string
  square: string
  strap: string
  outline: string
}

const PALETTES: Palette[] = [
  {
    field: 'f3e7cf',
    points: '1f4e8c',
    ring: '6fa3c7',
    centre: 'd9822b',
    square: 'b9432f',
    strap: 'fbf6ea',
    outline: '1d2433',
  },
  {
    field: '1c6b57',
    points: 'f0d9a4',
    ring: 'c8622f',
    centre: '1d2433',
    square: 'e6b655',
    strap: 'f8f1de',
    outline: '14312b',
  },
  {
    field: 'c9562f',
    points: 'f6e6c6',
    ring: '23486e',
    centre: 'e8b04a',
    square: '7d2a1d',
    strap: 'fdf3df',
    outline: '40180f',
  },
  {
    field: 'e9c46a',
    points: '7a2e2a',
    ring: 'f7efdc',
    centre: '2a6f73',
    square: '2a6f73',
    strap: 'fbf5e6',
    outline: '3a1f1c',
  },
  {
    field: '22386b',
    points: 'e7dcc2',
    ring: 'd08c3c',
    centre: '8fb7c9',
    square: '8fb7c9',
    strap: 'f5ead2',
    outline: '101a36',
  },
  {
    field: 'e8ded0',
    points: '3b3a38',
    ring: '8aa399',
    centre: 'b65437',
    square: '8c867c',
    strap: 'fffaf0',
    outline: '26231f',
  },
]

/** Pieces of a tile, and the lines between them. */
const PIECES = ['field', 'points', 'ring', 'centre', 'square', 'strap', 'outline'] as const
const [FIELD, POINTS, RING, CENTRE, SQUARE, STRAP, OUTLINE] = [0, 1, 2, 3, 4, 5, 6] as const

interface Pattern {
  /** The angle in degrees between an edge and the lines that start at its middle. Larger angles make sharper points. */
  angle: number
  /** The number of octagons from one side of the picture to the other. */
  repeats: number
  /** The width of the strap along the lines, as a fraction of an octagon. */
  strap: number
}

const ANGLES = [52, 67.5, 60, 45]
const REPEATS = [2, 3, 4]
const STRAPS = [0.02, 0.032, 0.012]

/** As fractions of an octagon, and of the star around the centre. */
const OUTLINE_WIDTH = 0.007
const CENTRE_SIZE = 0.34

const SIZE = 480
/** Each pixel is the mean of 2 x 2 samples, so that edges are smooth. */
const SAMPLES = 2

/** Returns the picture of the demo product with this id as a PNG file of 480 x 480 pixels and less than 40 kB. */
export function tilePng(id: number): Buffer {
  const dozen = Math.floor(id / 12)
  const palette = PALETTES[id % PALETTES.length]!
  const pattern = {
    angle: ANGLES[(id + dozen) % ANGLES.length]!,
    repeats: REPEATS[(id + Math.floor(id / 4) + dozen) % REPEATS.length]!,
    strap: STRAPS[Math.floor(id / 3) % STRAPS.length]!,
  }
  const cell = samplesOfCell(pattern, (SIZE / pattern.repeats) * SAMPLES)
  return encodePng({ width: SIZE, height: SIZE, ...paint(cell, pattern.repeats, palette, id) })
}

/**
 * Returns the piece at each sample of one cell, as `8 * piece + sector`. A cell has an octagon in the middle and a quarter
 * of a square in each corner. A sector is an eighth of the octagon. A cell looks the same in a mirror, so only a quarter
 * of it is computed.
 */
function samplesOfCell(pattern: Pattern, width: number): Uint8Array {
  const octagon = star(8, 0.5, pattern)
  const square = star(4, 0.5 * Math.SQRT2 - 0.5, pattern)
  const samples = new Uint8Array(width * width)
  for (let row = 0; row < width / 2; row++) {
    const y = (row + 0.5) / width
    const above = (width / 2 - 1 - row) * width
    const below = (width / 2 + row) * width
    for (let column = 0; column < width / 2; column++) {
      const x = (column + 0.5) / width
      const isInOctagon = x + y < Math.SQRT1_2
      // The edges of the squares are diagonal.
      const sample = isInOctagon
        ? octagon(Math.hypot(x, y), Math.atan2(y, x))
        : square(Math.hypot(0.5 - x, 0.5 - y), Math.atan2(0.5 - y, 0.5 - x) + Math.PI / 4)
      const piece = sample & ~7
      const sector = sample & 7
      const left = width / 2 - 1 - column
      const right = width / 2 + column
      samples[below + right] = sample
      samples[below + left] = piece + ((12 - sector) % 8)
      samples[above + right] = piece + ((8 - sector) % 8)
      samples[above + left] = piece + ((4 + sector) % 8)
    }
  }
  return samples
}

/**
 * Returns a function from polar coordinates to the sample of a regular polygon.
 *
 * All sectors look the same, and are symmetric. So a point is moved to the half sector between the middle M of an edge, at
 * the angle 0, and a corner. There, one line goes from M to P, where it meets the line of the next edge. Beyond P it
 * leaves the half sector; its mirror image goes from P to Q, below M.
 */
function star(corners: number, apothem: number, { angle, strap }: Pattern) {
  const half = Math.PI / corners
  const slope = (angle * Math.PI) / 180
  const m: Point = [apothem, 0]
  const p = meeting(m, [-Math.sin(slope), Math.cos(slope)], half)
  const q: Point = [p[0] - p[1] / Math.tan(2 * half - Math.PI / 2 - slope), 0]
  const hasRing = corners === 8 && q[0] > 0.25 * apothem && q[0] < 0.95 * apothem
  const fromMP = distanceFrom(m, p)
  const fromPQ = distanceFrom(p, q)
  const isBeyondMP = beyond(m, p)
  const isBeyondPQ = beyond(p, q)
  return (radius: number, polarAngle: number): number => {
    const turned = polarAngle + half
    const sector = Math.floor(turned / (2 * half))
    const folded = Math.abs(turned - (2 * sector + 1) * half)
    const x = radius * Math.cos(folded)
    const y = radius * Math.sin(folded)
    const fromLine = Math.min(fromMP(x, y), hasRing ? fromPQ(x, y) : 1)
    if (fromLine < strap) return 8 * STRAP
    if (fromLine < strap + OUTLINE_WIDTH) return 8 * OUTLINE
    if (isBeyondMP(x, y)) return 8 * FIELD + (sector % 8)
    if (corners === 4) return 8 * SQUARE
    if (hasRing && isBeyondPQ(x, y)) return 8 * POINTS + (sector % 8)
    return 8 * (isBeyondMP(x / CENTRE_SIZE, y / CENTRE_SIZE) ? RING : CENTRE)
  }
}

type Point = [x: number, y: number]

/** Returns where the line from `start` in `direction` meets the line from the centre at the angle `at`. */
function meeting(start: Point, direction: Point, at: number): Point {
  const [cos, sin] = [Math.cos(at), Math.sin(at)]
  const length = (start[1] * cos - start[0] * sin) / (direction[0] * sin - direction[1] * cos)
  return [start[0] + length * direction[0], start[1] + length * direction[1]]
}

/** Returns a function from a point to its distance from the line between `a` and `b`. */
function distanceFrom([ax, ay]: Point, [bx, by]: Point) {
  const dx = bx - ax
  const dy = by - ay
  const squared = dx * dx + dy * dy
  return (x: number, y: number): number => {
    const along = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / squared, 0), 1)
    const nearX = x - ax - along * dx
    const nearY = y - ay - along * dy
    return Math.sqrt(nearX * nearX + nearY * nearY)
  }
}

/** Returns a function that checks whether the line through `a` and `b` lies between the centre and a point. */
function beyond([ax, ay]: Point, [bx, by]: Point) {
  const sideOf = (x: number, y: number) => (bx - ax) * (y - ay) - (by - ay) * (x - ax) < 0
  const centre = sideOf(0, 0)
  return (x: number, y: number): boolean => sideOf(x, y) !== centre
}

/** Pieces of the same colour differ a little, because each was glazed by hand. */
const SHADES = [0.94, 1, 1.05]

/** Colours the pieces of all cells, and mixes the colours at their edges. */
function paint(cell: Uint8Array, repeats: number, palette: Palette, seed: number) {
  const pixels = new Uint8Array(SIZE * SIZE)
  const colours = new Colours()
  const side = SIZE / repeats
  const width = side * SAMPLES
  for (let instance = 0; instance < repeats * repeats; instance++) {
    const top = Math.floor(instance / repeats) * side
    const left = (instance % repeats) * side
    const colourOf = Array.from({ length: 8 * PIECES.length }, (_, sample) => {
      const piece = sample >> 3
      const glazed = seed * 7919 + instance * 131 + (piece < RING ? sample : piece)
      // A square and the lines belong to several cells.
      const shade = piece >= SQUARE ? 1 : SHADES[hash(glazed) % SHADES.length]!
      return hexToRgb(palette[PIECES[piece]!]).map((value) => Math.min(Math.round(value * shade), 255))
    })
    const plain = colourOf.map((colour) => colours.add(colour))
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const at = (y * width + x) * SAMPLES
        const a = cell[at]!
        const b = cell[at + 1]!
        const c = cell[at + width]!
        const d = cell[at + width + 1]!
        const isPlain = a === b && a === c && a === d
        pixels[(top + y) * SIZE + left + x] = isPlain
          ? plain[a]!
          : colours.mixed([a, b, c, d].map((sample) => colourOf[sample]!))
      }
  }
  return { pixels, colours: colours.all }
}

/** The colours of a picture: the plain ones exactly, and mixtures rounded, so that there are at most 256. */
class Colours {
  readonly all: number[][] = []
  readonly #indexes = new Map<number, number>()

  add(colour: number[]): number {
    const key = (colour[0]! << 16) | (colour[1]! << 8) | colour[2]!
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    this.#indexes.set(key, this.all.length)
    return this.all.push(colour) - 1
  }

  mixed(four: readonly number[][]): number {
    return this.add(
      [0, 1, 2].map((channel) => (four.reduce((sum, colour) => sum + colour[channel]!, 0) >> 7) << 5),
    )
  }
}

const hexToRgb = (hex: string) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))

/** Returns a number that looks random. */
function hash(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 12)) >>> 0
}
