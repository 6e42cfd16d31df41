import { readFileSync, writeFileSync } from 'node:fs'

export interface Figure {
  perSecond: number
  p99: number
}

const README = new URL('../../README.md', import.meta.url)
const SECTION = /(<!-- bench -->\n)[\s\S]*(<!-- \/bench -->)/

/** What is measured, and beside what. */
const ROWS: [label: string, figure: string, beside: string, floor: string][] = [
  ['place an order, one hot product', 'place, one hot product', 'pgbench', 'floor: one hot product'],
  ['place an order, 10,000 products', 'place, 10,000 products', 'pgbench', 'floor: 10,000 products'],
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
  ['get one product', 'get one product', 'bare server', 'ceiling: one product'],
  ['list 20 products', 'list 20 products', 'bare server', 'ceiling: 20 products'],
  [
    'place through nginx, one hot product',
    'place through nginx, hot',
    'at orders itself',
    'place, one hot product',
  ],
  [
    'list 20 products through nginx',
    'list 20 products, nginx',
    'nginx, a file of these bytes',
    'nginx: a file of these bytes',
  ],
]

/** Writes the figures into the README's section for them, so that it never shows others than were measured. */
export function writeReadme(figures: Record<string, Figure>, memoryMiB: number, cores: number): void {
  const said = ({ perSecond, p99 }: Figure) => `${perSecond.toLocaleString('en')}/s, p99 ${p99.toFixed(1)} ms`
  const rows = ROWS.flatMap(([label, name, beside, floorName]) => {
    const [figure, floor] = [figures[name], figures[floorName]]
    if (!figure || !floor) return []
    const ratio = (figure.perSecond / floor.perSecond).toFixed(2)
    return [`| ${label} | ${said(figure)} | ${beside}: ${said(floor)} | ${ratio} x |`]
  })
  const section = [
    `On ${cores} cores, which the load generator and PostgreSQL share. Memory of the four processes after it:`,
    `${memoryMiB} MiB.`,
    '',
    '| | Souk | beside it | |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
  const readme = readFileSync(README, 'utf8')
  if (!SECTION.test(readme)) throw new Error('README.md has no place for the figures: <!-- bench -->')
  writeFileSync(README, readme.replace(SECTION, `$1${section}$2`))
}
