import type { NewProduct } from '../catalogue/product-schemas.ts'

/** The id of the demo seller with this number, 1 to 4. The users service uses the same ids. */
export const demoSellerId = (number: number): string => `01900000-0000-7000-8000-00000000000${number + 1}`

interface DemoProduct extends NewProduct {
  id: number
  sellerId: string
}

const [LIGHTS, POTTERY, THREAD, SPICES] = [1, 2, 3, 4] as const

const product = (
  id: number,
  seller: number,
  name: string,
  description: string,
  amount: number,
  stock: number,
  currency = 'USD',
): DemoProduct => ({
  id,
  sellerId: demoSellerId(seller),
  name,
  description,
  price: { amount, currency },
  stock,
})

/** Products 1 and 2 are known to the documentation and to tests. The others make the first look a shop. */
export const DEMO_PRODUCTS: readonly DemoProduct[] = [
  product(1, LIGHTS, 'Copper kettle', 'Hand-beaten, holds 1.5 litres.', 4_900, 100),
  product(2, LIGHTS, 'Woollen rug', 'Red and blue, 120 by 180 cm.', 18_900, 100),
  product(3, LIGHTS, 'Brass lantern', 'Eight panes of coloured glass. Takes a candle or a bulb.', 4_900, 2),
  product(4, POTTERY, 'Blue teapot', 'Glazed stoneware with a strainer. Holds 0.8 litres.', 3_450, 14),
  product(5, THREAD, 'Cedar box', 'Smells of the forest for years. 20 by 12 by 8 cm.', 2_800, 0),
  product(
    6,
    SPICES,
    'Saffron, 2 grams',
    'Whole threads from Taliouine, picked last autumn.',
    1_600,
    60,
    'EUR',
  ),
  product(
    7,
    POTTERY,
    'Tagine for four',
    'Unglazed inside, so that it must be soaked before its first use.',
    42_000,
    9,
    'MAD',
  ),
  product(
    8,
    THREAD,
    'Leather slippers',
    'Soft soles, sewn by hand. Sizes 37 to 44; say yours in a message.',
    3_900,
    25,
  ),
  product(9, LIGHTS, 'Wall sconce', 'Pierced iron that throws stars on the wall.', 7_200, 6),
  product(10, POTTERY, 'Bowl with stars', 'Cobalt on white, 24 cm. No two are alike.', 2_200, 31),
  product(11, SPICES, 'Ras el hanout', 'Twenty-three spices, ground this week. 100 grams.', 950, 80, 'EUR'),
  product(12, THREAD, 'Linen tablecloth', 'Undyed, with a hem of blue embroidery. 140 by 220 cm.', 8_400, 11),
  product(
    13,
    LIGHTS,
    'Tea glasses, set of six',
    'Painted in gold and green. Not for the dishwasher.',
    3_000,
    18,
  ),
  product(14, POTTERY, 'Olive dish', 'A long dish with a small one for the stones.', 1_700, 40),
  product(15, SPICES, 'Orange blossom water', 'Distilled in copper. 250 millilitres.', 1_200, 35, 'EUR'),
  product(16, THREAD, 'Willow basket', 'Woven wet, so that it keeps its shape. 35 cm across.', 2_600, 2),
  product(17, LIGHTS, 'Brass tray', 'Engraved by hand, 40 cm. It will age beautifully.', 11_500, 4),
  product(
    18,
    POTTERY,
    'Zellige tiles, a square metre',
    'A hundred tiles, cut and glazed by hand, in emerald.',
    14_800,
    50,
  ),
  product(
    19,
    SPICES,
    'Argan oil',
    'Cold pressed from roasted kernels, for the kitchen. 250 millilitres.',
    2_400,
    22,
    'EUR',
  ),
  product(
    20,
    THREAD,
    'Indigo scarf',
    'Four metres of cotton. The dye rubs off a little, as it should.',
    3_300,
    16,
  ),
  product(21, LIGHTS, 'Incense burner', 'A brass dome on three feet, with a wooden handle.', 2_900, 12),
  product(
    22,
    POTTERY,
    'Matcha bowl',
    'A guest in this market: thrown in Fes, for the tea of Kyoto.',
    5_200,
    7,
    'JPY',
  ),
  product(23, SPICES, 'Black soap', 'Olive oil and eucalyptus. A jar lasts a winter.', 1_050, 0, 'EUR'),
  product(24, THREAD, 'Floor cushion', 'Kilim on both sides, filled with wool. 60 by 60 cm.', 9_600, 5),
]
