import type { Figure } from './readme.ts'

const BARS: [label: string, figure: string, colour: string][] = [
  ['one hot product: Souk', 'place, one hot product', '#0b7285'],
  ['one hot product: a transaction each (pgbench)', 'floor: one hot product', '#adb5bd'],
  ['one hot product: Souk unbatched', 'place, one hot product, unbatched', '#ced4da'],
  ['10,000 products: Souk', 'place, 10,000 products', '#0b7285'],
  ['10,000 products: a transaction each (pgbench)', 'floor: 10,000 products', '#adb5bd'],
  ['10,000 products: Souk unbatched', 'place, 10,000 products, unbatched', '#ced4da'],
]

const TITLE = 'Orders a second, PostgreSQL, 64 buyers'
const WIDTH = 760
const LABELS = 330
const ROW = 30

/** Orders a second as an SVG of bars. */
export function chart(figures: Record<string, Figure>): string {
  const bars = BARS.flatMap(([label, name, colour]) => {
    const figure = figures[name]
    return figure ? [{ label, colour, value: figure.perSecond }] : []
  })
  const most = Math.max(...bars.map(({ value }) => value))
  const rows = bars.map(({ label, colour, value }, i) => {
    const y = 40 + i * ROW
    const width = Math.round(((WIDTH - LABELS - 80) * value) / most)
    return [
      `<text x="${LABELS - 10}" y="${y + 16}" text-anchor="end">${label}</text>`,
      `<rect x="${LABELS}" y="${y}" width="${width}" height="22" rx="3" fill="${colour}"/>`,
      `<text x="${LABELS + width + 8}" y="${y + 16}">${value.toLocaleString('en')}</text>`,
    ].join('\n')
  })
  const height = 50 + bars.length * ROW
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>${TITLE}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="22" font-weight="600">${TITLE}</text>
${rows.join('\n')}
</svg>
`
}
