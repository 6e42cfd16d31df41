import { readFileSync, writeFileSync } from 'node:fs'

/** The median of a figure's rounds. */
interface Figure {
  perSecond: number
  p99: number
}

export interface Results {
  engine: string
  seconds: number
  rounds: number
  cores: number
  node: string
  /** Of the four processes together, in MiB. */
  memory: { resident: number; proportional: number }
  figures: Record<string, Figure & { lowest: number; highest: number }>
}

type Figures = Record<string, Figure>

const README = new URL('../../README.md', import.meta.url)
const SECTION = /(<!-- bench -->\n)[\s\S]*(<!-- \/bench -->)/

/** The rows of the README's table: a figure, and the baseline that it is compared with. */
const ROWS: [label: string, figure: string, baselineLabel: string, baseline: string][] = [
  ['place an order, one hot product', 'place, one hot product', 'pgbench', 'baseline: one hot product'],
  ['place an order, 10,000 products', 'place, 10,000 products', 'pgbench', 'baseline: 10,000 products'],
  [
    'place, one hot product',
    'place, one hot product',
    'without batching',
    'place, one hot product, unbatched',
  ],
  [
    'place, 10,000 products',
    'place, 10,000 products',
    'without batching',
    'place, 10,000 products, unbatched',
  ],
  ['get one product', 'get one product', 'bare server', 'baseline: one product'],
  ['list 20 products', 'list 20 products', 'bare server', 'baseline: 20 products'],
  [
    'place through nginx, one hot product',
    'place through nginx, hot',
    'orders without nginx',
    'place, one hot product',
  ],
  [
    'list 20 products through nginx',
    'list 20 products, nginx',
    'nginx, a file of the same bytes',
    'baseline: nginx, a file',
  ],
]

/** Writes results.json and, on PostgreSQL, the chart and the README's figures; prints the ratios. */
export function writeReport(results: Results): void {
  const { engine, figures, memory } = results
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
  if (engine === 'postgres') {
    writeFileSync(new URL('../../img/bench.svg', import.meta.url), chart(figures))
    writeReadme(results)
  }
  for (const [label, name, baselineLabel, baseline] of ROWS)
    console.log(`${label.padEnd(38)} ${ratio(figures[name], figures[baseline])} x ${baselineLabel}`)
  console.log(`memory: ${memory.proportional} MiB for the four processes (resident: ${memory.resident} MiB)`)
}

function ratio(figure: Figure | undefined, baseline: Figure | undefined): string {
  return figure && baseline ? (figure.perSecond / baseline.perSecond).toFixed(2) : 'n/a'
}

function writeReadme({ figures, memory, cores }: Results): void {
  const format = ({ perSecond, p99 }: Figure) =>
    `${perSecond.toLocaleString('en')}/s, p99 ${p99.toFixed(1)} ms`
  const rows = ROWS.flatMap(([label, name, baselineLabel, baselineName]) => {
    const [figure, baseline] = [figures[name], figures[baselineName]]
    if (!figure || !baseline) return []
    return [
      `| ${label} | ${format(figure)} | ${baselineLabel}: ${format(baseline)} | ${ratio(figure, baseline)} x |`,
    ]
  })
  const section = [
    `On ${cores} cores, which the load generator and PostgreSQL share. The four processes use ${memory.proportional} MiB`,
    'after it.',
    '',
    '| | Souk | baseline | ratio |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
  const readme = readFileSync(README, 'utf8')
  if (!SECTION.test(readme)) throw new Error('README.md has no section for the figures: <!-- bench -->')
  writeFileSync(README, readme.replace(SECTION, `$1${section}$2`))
}

const BARS: [label: string, figure: string, colour: string][] = [
  ['one hot product: Souk', 'place, one hot product', '#0b7285'],
  ['one hot product: a transaction each (pgbench)', 'baseline: one hot product', '#adb5bd'],
  ['one hot product: Souk unbatched', 'place, one hot product, unbatched', '#ced4da'],
  ['10,000 products: Souk', 'place, 10,000 products', '#0b7285'],
  ['10,000 products: a transaction each (pgbench)', 'baseline: 10,000 products', '#adb5bd'],
  ['10,000 products: Souk unbatched', 'place, 10,000 products, unbatched', '#ced4da'],
]

const TITLE = 'Orders a second, PostgreSQL, 64 buyers'
const WIDTH = 760
const LABELS = 330
const ROW = 30

/** Draws the orders per second as bars in SVG. */
function chart(figures: Figures): string {
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
