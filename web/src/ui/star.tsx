/** The eight-pointed star of the tiles: two squares, one of them turned by 45 degrees. */
export function Star() {
  return (
    <svg viewBox="-50 -50 100 100" aria-hidden="true" fill="currentColor">
      <rect x="-33" y="-33" width="66" height="66" />
      <rect x="-33" y="-33" width="66" height="66" transform="rotate(45)" />
      <circle r="15" fill="var(--paper)" />
    </svg>
  )
}
