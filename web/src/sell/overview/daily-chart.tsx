import type { SalesSummary } from '@souk/client'

const DAY_MS = 86_400_000
const HEIGHT = 96
const BAR = 10
const GAP = 4

const nameOf = (day: string) =>
  new Date(`${day}T00:00Z`).toLocaleDateString('en', { month: 'short', day: 'numeric', timeZone: 'UTC' })

/** Bars with the units that were sold on each day. Units add up, whatever the currency. */
export function DailyChart({ summary }: { summary: SalesSummary }) {
  const days = unitsByDay(summary)
  const most = Math.max(...days.map(({ units }) => units), 1)
  const best = days.find(({ units }) => units === most)
  const width = days.length * (BAR + GAP) - GAP
  return (
    <figure className="chart">
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={
          best
            ? `Units sold on each day. The most were sold on ${nameOf(best.day)}: ${most}.`
            : 'No units sold on any day.'
        }
      >
        {days.map(({ day, units }, index) => {
          // A day without sales has a bar of one pixel, so that the days can be counted.
          const height = Math.max((units / most) * HEIGHT, 1)
          return (
            <rect key={day} x={index * (BAR + GAP)} y={HEIGHT - height} width={BAR} height={height} rx="1">
              <title>{`${nameOf(day)}: ${units}`}</title>
            </rect>
          )
        })}
      </svg>
      <figcaption className="soft small">
        <span>{nameOf(summary.from)}</span>
        <span>Units by day</span>
        <span>{nameOf(summary.to)}</span>
      </figcaption>
    </figure>
  )
}

/** Returns every day of the summary, also those without sales. */
function unitsByDay({ from, to, days }: SalesSummary) {
  const units = new Map<string, number>()
  for (const one of days) units.set(one.day, (units.get(one.day) ?? 0) + one.units)
  const count = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(Date.parse(from) + index * DAY_MS).toISOString().slice(0, 10)
    return { day, units: units.get(day) ?? 0 }
  })
}
