import { type Migrations, withTableOptions } from '@souk/service-kit/database/migrate'

export const migrations: Migrations = (engine) => {
  const withOptions = withTableOptions(engine)
  return {
    '0001-orders': {
      up: async (db) => {
        await withOptions(
          db.schema
            .createTable('orders')
            .addColumn('id', 'char(36)', (column) => column.primaryKey())
            .addColumn('buyer_id', 'char(36)', (column) => column.notNull())
            .addColumn('status', 'varchar(10)', (column) => column.notNull())
            .addColumn('requested_lines', 'text', (column) => column.notNull())
            .addColumn('rejection', 'text')
            .addColumn('idempotency_key', 'varchar(255)')
            .addColumn('fingerprint', 'char(64)')
            .addColumn('created_at', 'bigint', (column) => column.notNull())
            .addColumn('updated_at', 'bigint', (column) => column.notNull())
            .addColumn('next_attempt_at', 'bigint')
            .addUniqueConstraint('orders_idempotency', ['buyer_id', 'idempotency_key']),
        ).execute()
        await db.schema.createIndex('orders_by_buyer').on('orders').columns(['buyer_id', 'id']).execute()
        await db.schema.createIndex('orders_undecided').on('orders').column('next_attempt_at').execute()
        await withOptions(
          db.schema
            .createTable('order_lines')
            .addColumn('order_id', 'char(36)', (column) => column.notNull())
            .addColumn('line_no', 'integer', (column) => column.notNull())
            .addColumn('product_id', 'integer', (column) => column.notNull())
            .addColumn('quantity', 'integer', (column) => column.notNull())
            .addColumn('name', 'varchar(200)', (column) => column.notNull())
            .addColumn('seller_id', 'char(36)', (column) => column.notNull())
            .addColumn('price_amount', 'bigint', (column) => column.notNull())
            .addColumn('currency', 'char(3)', (column) => column.notNull())
            .addPrimaryKeyConstraint('order_lines_key', ['order_id', 'line_no']),
        ).execute()
        await db.schema
          .createIndex('order_lines_by_seller')
          .on('order_lines')
          .columns(['seller_id', 'order_id', 'line_no'])
          .execute()
      },
    },
    // `orders_by_status` also serves lists of all orders; see `listOrders`. Both indexes together would make a write of
    // an order a quarter more expensive.
    '0002-orders-by-status': {
      up: async (db) => {
        const columns = ['buyer_id', 'status', 'id']
        await db.schema.createIndex('orders_by_status').on('orders').columns(columns).execute()
        const oldIndex = db.schema.dropIndex('orders_by_buyer')
        await (engine === 'mysql' ? oldIndex.on('orders') : oldIndex).execute()
      },
    },
  }
}
