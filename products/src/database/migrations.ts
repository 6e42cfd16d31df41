import { counter, inEngineStyle, type Migrations } from '@souk/service-kit/database/migrate'
import { sql } from 'kysely'

export const migrations: Migrations = (engine) => {
  const style = inEngineStyle(engine)
  // SQLite counts up only what is declared INTEGER, which holds 64 bits there.
  const id = engine === 'sqlite' ? 'integer' : 'bigint'
  // Longest description times what its normal form can grow to: past the 64 KiB of MySQL's `text`.
  const longText = engine === 'mysql' ? sql`mediumtext` : 'text'
  const [, countUp] = counter(engine)
  return {
    '0001-products': {
      up: async (db) => {
        await style(
          db.schema
            .createTable('products')
            .addColumn('id', id, countUp)
            .addColumn('seller_id', 'varchar(36)', (column) => column.notNull())
            .addColumn('name', 'varchar(200)', (column) => column.notNull())
            .addColumn('description', 'text', (column) => column.notNull())
            .addColumn('search_name', longText, (column) => column.notNull())
            .addColumn('search_description', longText, (column) => column.notNull())
            .addColumn('price_amount', 'bigint', (column) => column.notNull())
            .addColumn('price_currency', 'char(3)', (column) => column.notNull())
            .addColumn('stock', 'bigint', (column) => column.notNull())
            .addColumn('status', 'varchar(8)', (column) => column.notNull())
            .addColumn('version', 'integer', (column) => column.notNull())
            .addColumn('created_at', 'bigint', (column) => column.notNull())
            .addColumn('updated_at', 'bigint', (column) => column.notNull())
            // Stands behind every statement that takes units: whatever we get wrong, none is sold twice.
            .addCheckConstraint('products_stock_not_negative', sql`stock >= 0`),
        ).execute()
        // None of the indexes has a column that a booking changes.
        await db.schema.createIndex('products_newest').on('products').columns(['status', 'id']).execute()
        await db.schema
          .createIndex('products_by_price')
          .on('products')
          .columns(['status', 'price_amount', 'id'])
          .execute()
        await db.schema
          .createIndex('products_of_seller')
          .on('products')
          .columns(['seller_id', 'id'])
          .execute()
      },
    },
    '0002-stock-adjustments': {
      up: async (db) => {
        await style(
          db.schema
            .createTable('stock_adjustments')
            .addColumn('id', id, countUp)
            .addColumn('product_id', id, (column) => column.notNull())
            .addColumn('delta', 'bigint', (column) => column.notNull())
            .addColumn('reason', 'varchar(200)', (column) => column.notNull())
            .addColumn('stock', 'bigint', (column) => column.notNull())
            .addColumn('idempotency_key', 'varchar(255)')
            .addColumn('created_at', 'bigint', (column) => column.notNull())
            .addUniqueConstraint('stock_adjustments_once', ['product_id', 'idempotency_key'])
            .addForeignKeyConstraint('stock_adjustments_product', ['product_id'], 'products', ['id']),
        ).execute()
        await db.schema
          .createIndex('stock_adjustments_of_product')
          .on('stock_adjustments')
          .columns(['product_id', 'id'])
          .execute()
      },
    },
    '0003-bookings': {
      up: async (db) => {
        await style(
          db.schema
            .createTable('bookings')
            .addColumn('order_id', 'char(36)', (column) => column.primaryKey())
            .addColumn('status', 'varchar(8)', (column) => column.notNull())
            .addColumn('reason', 'varchar(32)')
            .addColumn('created_at', 'bigint', (column) => column.notNull())
            .addColumn('updated_at', 'bigint', (column) => column.notNull()),
        ).execute()
        // No foreign keys: a rejected line may name a product that never was, and each would cost a look-up
        // a line in the one transaction whose length decides how much can be sold in a second.
        await style(
          db.schema
            .createTable('booking_lines')
            .addColumn('order_id', 'char(36)', (column) => column.notNull())
            .addColumn('line_no', 'integer', (column) => column.notNull())
            .addColumn('product_id', 'bigint', (column) => column.notNull())
            .addColumn('quantity', 'integer', (column) => column.notNull())
            .addColumn('seller_id', 'varchar(36)')
            .addColumn('name', 'varchar(200)')
            .addColumn('price_amount', 'bigint')
            .addColumn('price_currency', 'char(3)')
            .addColumn('available', 'bigint')
            .addPrimaryKeyConstraint('booking_lines_key', ['order_id', 'line_no']),
        ).execute()
      },
    },
  }
}
