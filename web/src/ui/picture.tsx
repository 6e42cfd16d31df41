import { useState } from 'react'

interface PictureProps {
  product: { name: string; image?: { url: string } | null }
  /** `true` for a picture that is visible at once, so that the browser does not defer it. */
  eager?: boolean
  small?: boolean
}

/** The picture of a product, or a plain tile if the product has none. */
export function Picture({ product: { name, image }, eager = false, small = false }: PictureProps) {
  // The seller may have replaced the picture since the product was loaded.
  const [missing, setMissing] = useState<string>()
  const className = small ? 'picture small-picture' : 'picture'
  // A picture is part of the API. The pages never load one from another origin.
  if (!image?.url.startsWith('/products/') || image.url === missing)
    return <EmptyTile className={className} />
  return (
    <img
      className={className}
      src={image.url}
      // The name of the product stands beside every picture, so a screen reader need not read it twice.
      alt={small ? '' : `Picture of ${name}`}
      width="600"
      height="600"
      loading={eager ? 'eager' : 'lazy'}
      decoding="async"
      onError={() => setMissing(image.url)}
    />
  )
}

function EmptyTile({ className }: { className: string }) {
  return (
    <svg className={`${className} tile`} viewBox="-50 -50 100 100" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeOpacity="0.35">
        <rect x="-21" y="-21" width="42" height="42" />
        <rect x="-21" y="-21" width="42" height="42" transform="rotate(45)" />
        <path d="M-50 0H-30M50 0H30M0-50V-30M0 50V30M-50-50-21-21M50-50 21-21M-50 50-21 21M50 50 21 21" />
      </g>
    </svg>
  )
}
