import { counter, type Migrations, withTableOptions } from '@souk/service-kit/database/migrate'
import { type Kysely, sql } from 'kysely'

const createIndex = (db: Kysely<unknown>, name: string, table: string, columns: string[]) =>
  db.schema.createIndex(name).on(table).columns(columns).execute()

export const migrations: Migrations = (engine) => {
  const withOptions = withTableOptions(engine)
  // SQLite generates ids only if the column type is INTEGER, which has 64 bits in SQLite.
  const id = engine === 'sqlite' ? 'integer' : 'bigint'
  // Words are compared byte by byte. PostgreSQL would otherwise use the collation of the database.
  const word = engine === 'postgres' ? sql`varchar(32) collate "C"` : sql`varchar(32)`
  // The search columns stored the result of a normalization, which can be longer than the original text, and longer
  // than the 64 KiB of MySQL's `text`. They are not used any more.
  const longText = engine === 'mysql' ? sql`mediumtext` : 'text'
  const bytes = { postgres: sql`bytea`, mysql: sql`mediumblob`, sqlite: sql`blob` }[engine]
  // Ignore the type that `counter` returns: on PostgreSQL and MySQL, `integer` is too small for ids.
  const [, generatedKey] = counter(engine)
  return {
    '0001-products': {
      up: async (db) => {
        await withOptions(
          db.schema
            .createTable('products')
            .addColumn('id', id, generatedKey)
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
            // Prevents overselling even if the service has a bug.
            .addCheckConstraint('products_stock_not_negative', sql`stock >= 0`),
        ).execute()
        // No index contains `stock` or `updated_at`, so a booking updates no index of `products`.
        await createIndex(db, 'products_newest', 'products', ['status', 'id'])
        await createIndex(db, 'products_by_price', 'products', ['status', 'price_amount', 'id'])
        await createIndex(db, 'products_of_seller', 'products', ['seller_id', 'id'])
      },
    },
    '0002-stock-adjustments': {
      up: async (db) => {
        await withOptions(
          db.schema
            .createTable('stock_adjustments')
            .addColumn('id', id, generatedKey)
            .addColumn('product_id', id, (column) => column.notNull())
            .addColumn('delta', 'bigint', (column) => column.notNull())
            .addColumn('reason', 'varchar(200)', (column) => column.notNull())
            .addColumn('stock', 'bigint', (column) => column.notNull())
            .addColumn('idempotency_key', 'varchar(255)')
            .addColumn('created_at', 'bigint', (column) => column.notNull())
            .addUniqueConstraint('stock_adjustments_once', ['product_id', 'idempotency_key'])
            .addForeignKeyConstraint('stock_adjustments_product', ['product_id'], 'products', ['id']),
        ).execute()
        await createIndex(db, 'stock_adjustments_of_product', 'stock_adjustments', ['product_id', 'id'])
      },
    },
    '0003-bookings': {
      up: async (db) => {
        await withOptions(
          db.schema
            .createTable('bookings')
            .addColumn('order_id', 'char(36)', (column) => column.primaryKey())
            .addColumn('status', 'varchar(8)', (column) => column.notNull())
            .addColumn('reason', 'varchar(32)')
            .addColumn('created_at', 'bigint', (column) => column.notNull())
            .addColumn('updated_at', 'bigint', (column) => column.notNull()),
        ).execute()
        // There is no foreign key to `products`, because a line of a rejected order may contain the id of a product
        // that does not exist. There is no foreign key to `bookings`, because this key would make the database look up
        // the booking of each new line while the products are locked.
        await withOptions(
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
    '0004-expected-prices': {
      up: async (db) => {
        await db.schema.alterTable('booking_lines').addColumn('expected_amount', 'bigint').execute()
        await db.schema.alterTable('booking_lines').addColumn('expected_currency', 'char(3)').execute()
      },
    },
    // Existing products get their words from `indexProducts`, because that takes minutes with a million products.
    '0005-product-words': {
      up: async (db) => {
        // There is no foreign key to `products`: products are never deleted, and the key would cost a check per word.
        await withOptions(
          db.schema
            .createTable('product_words')
            .addColumn('product_id', 'bigint', (column) => column.notNull())
            .addColumn('word', word, (column) => column.notNull())
            .addPrimaryKeyConstraint('product_words_key', ['product_id', 'word']),
        ).execute()
        await createIndex(db, 'products_with_word', 'product_words', ['word', 'product_id'])
        await db.schema
          .alterTable('products')
          .addColumn('search_version', 'integer', (column) => column.notNull().defaultTo(0))
          .execute()
        await createIndex(db, 'products_to_index', 'products', ['search_version', 'id'])
      },
    },
    '0006-active-products': {
      up: async (db) => {
        // PostgreSQL would otherwise walk the primary key to list the newest products, past all disabled ones.
        if (engine === 'postgres')
          await sql`create index products_active on products (id) where status = 'ACTIVE'`.execute(db)
      },
    },
    '0007-own-products': {
      up: async (db) => {
        await createIndex(db, 'products_of_seller_by_status', 'products', ['seller_id', 'status', 'id'])
        await withOptions(
          db.schema.createTable('sellers').addColumn('id', 'varchar(36)', (column) => column.primaryKey()),
        ).execute()
        await db.schema.alterTable('products').addColumn('idempotency_key', 'varchar(255)').execute()
        await db.schema.alterTable('products').addColumn('fingerprint', 'char(64)').execute()
        await db.schema
          .createIndex('products_created_once')
          .on('products')
          .columns(['seller_id', 'idempotency_key'])
          .unique()
          .execute()
      },
    },
    '0008-own-products-by-price': {
      up: (db) =>
        createIndex(db, 'products_of_seller_by_price', 'products', [
          'seller_id',
          'status',
          'price_amount',
          'id',
        ]),
    },
    '0009-product-images': {
      up: async (db) => {
        await db.schema.alterTable('products').addColumn('image_hash', 'char(32)').execute()
        await db.schema.alterTable('products').addColumn('image_type', 'varchar(32)').execute()
        await withOptions(
          db.schema
            .createTable('product_images')
            .addColumn('product_id', 'bigint', (column) => column.primaryKey())
            .addColumn('bytes', bytes, (column) => column.notNull()),
        ).execute()
      },
    },
    // Ids do not tell which product is newer: the nodes of a cluster take them from different ranges.
    '0010-newest-by-time': {
      up: async (db) => {
        const drop = (name: string) => {
          const index = db.schema.dropIndex(name)
          return (engine === 'mysql' ? index.on('products') : index).execute()
        }
        if (engine === 'postgres') {
          await sql`create index products_active_by_time on products (created_at, id) where status = 'ACTIVE'`.execute(
            db,
          )
          await drop('products_active')
        } else {
          await createIndex(db, 'products_by_time', 'products', ['status', 'created_at', 'id'])
        }
        await createIndex(db, 'products_of_seller_by_time', 'products', ['seller_id', 'created_at', 'id'])
        const byStatus = ['seller_id', 'status', 'created_at', 'id']
        await createIndex(db, 'products_of_seller_by_status_and_time', 'products', byStatus)
        for (const old of ['products_newest', 'products_of_seller', 'products_of_seller_by_status'])
          await drop(old)
      },
    },
  }
}
