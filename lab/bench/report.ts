import { readFileSync, writeFileSync } from 'node:fs'

/** The median requests per second and the median p99 of all rounds. */
interface Figure {
  perSecond: number
  p99: number
}
type Figures = Record<string, Figure>

export interface Results {
  engine: string
  seconds: number
  rounds: number
  cores: number
  node: string
  /** The memory of the four processes together, in MiB. `proportional` counts a page that processes share once. */
  memory: { resident: number; proportional: number }
  figures: Record<string, Figure & { lowest: number; highest: number }>
}

const README = new URL('../../README.md', import.meta.url)
const SECTION = /(<!-- bench -->\n)[\s\S]*(<!-- \/bench -->)/

/** The rows of the README's table: each figure, and the baseline with which it is compared. */
const ROWS: [figure: string, baseline: string][] = [
  ['place, one hot product', 'pgbench, one hot product'],
  ['place, 10,000 products', 'pgbench, 10,000 products'],
  ['place, one hot product', 'place, one hot product, unbatched'],
  ['place, 10,000 products', 'place, 10,000 products, unbatched'],
  ['get one product', 'bare server, one product'],
  ['list 20 products', 'bare server, 20 products'],
  ['place through nginx, one hot product', 'place, one hot product'],
  ['list 20 products through nginx', 'nginx, a file of the same bytes'],
]

/** Writes results.json and, on PostgreSQL, the chart and the README's figures. Prints the ratios. */
export function writeReport(results: Results): void {
  const { engine, figures, memory } = results
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
  if (engine === 'postgres') {
    writeFileSync(new URL('../../img/bench.svg', import.meta.url), chart(figures))
    writeReadme(results)
  }
  for (const [name, baseline] of ROWS)
    console.log(`${name.padEnd(38)} ${ratio(figures[name], figures[baseline])} x ${baseline}`)
  console.log(`memory: ${memory.proportional} MiB for the four processes (resident: ${memory.resident} MiB)`)
}

function ratio(figure: Figure | undefined, baseline: Figure | undefined): string {
  return figure && baseline ? (figure.perSecond / baseline.perSecond).toFixed(2) : 'n/a'
}

function writeReadme({ figures, memory, cores }: Results): void {
  const format = ({ perSecond, p99 }: Figure) =>
    `${perSecond.toLocaleString('en')}/s, p99 ${p99.toFixed(1)} ms`
  const rows = ROWS.flatMap(([name, baselineName]) => {
    const [figure, baseline] = [figures[name], figures[baselineName]]
    if (!figure || !baseline) return []
    const compared = `${baselineName}: ${format(baseline)}`
    return `| ${name} | ${format(figure)} | ${compared} | ${ratio(figure, baseline)} x |`
  })
  const section = `On ${cores} cores, shared with the load generator and PostgreSQL. The four processes use ${memory.proportional} MiB of memory.

| | Souk | baseline | ratio |
|---|---|---|---|
${rows.join('\n')}
`
  const readme = readFileSync(README, 'utf8')
  if (!SECTION.test(readme)) throw new Error('README.md has no section for the figures: <!-- bench -->')
  writeFileSync(README, readme.replace(SECTION, `$1${section}$2`))
}

const BARS: [label: string, figure: string, colour: string][] = [
  ['one hot product: Souk', 'place, one hot product', '#0b7285'],
  ['one hot product: one transaction per order (pgbench)', 'pgbench, one hot product', '#adb5bd'],
  ['one hot product: Souk unbatched', 'place, one hot product, unbatched', '#ced4da'],
  ['10,000 products: Souk', 'place, 10,000 products', '#0b7285'],
  ['10,000 products: one transaction per order (pgbench)', 'pgbench, 10,000 products', '#adb5bd'],
  ['10,000 products: Souk unbatched', 'place, 10,000 products, unbatched', '#ced4da'],
]

const TITLE = 'Orders per second, PostgreSQL, 64 buyers'
const WIDTH = 760
const LABEL_WIDTH = 360
const ROW_HEIGHT = 30

/** Returns an SVG bar chart of the orders per second. */
function chart(figures: Figures): string {
  const bars = BARS.filter(([, name]) => figures[name])
  const most = Math.max(...bars.map(([, name]) => figures[name]!.perSecond))
  const rows = bars.map(([label, name, colour], i) => {
    const { perSecond } = figures[name]!
    const y = 40 + i * ROW_HEIGHT
    const width = Math.round(((WIDTH - LABEL_WIDTH - 80) * perSecond) / most)
    return `<text x="${LABEL_WIDTH - 10}" y="${y + 16}" text-anchor="end">${label}</text>
<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="22" rx="3" fill="${colour}"/>
<text x="${LABEL_WIDTH + width + 8}" y="${y + 16}">${perSecond.toLocaleString('en')}</text>`
  })
  const height = 50 + bars.length * ROW_HEIGHT
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>${TITLE}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="22" font-weight="600">${TITLE}</text>
${rows.join('\n')}
</svg>
`
}
