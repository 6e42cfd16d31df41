/** Short names for the schemas of the contract. */
import type { components } from './contract.gen.ts'

type Schemas = components['schemas']

export type User = Schemas['User']
export type Money = Schemas['Money']
export type Product = Schemas['Product']
export type NewProduct = Schemas['NewProduct']
export type ProductChange = Schemas['ProductChange']
export type StockAdjustment = Schemas['StockAdjustment']
export type Order = Schemas['Order']
export type OrderLine = Schemas['OrderLine']
/** A line of an order that is to be placed. */
export type NewOrderLine = Schemas['NewOrder']['lines'][number]
/** A line because of which an order was rejected. */
export type RejectedLine = Schemas['RejectedLine']
export type Sale = Schemas['Sale']
export type SalesSummary = Schemas['SalesSummary']
