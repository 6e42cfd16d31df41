import { migrationContract } from '@souk/service-kit/testing/migration-contract'
import { migrations } from '../../../../src/adapters/outbound/sql/migrations.ts'

await migrationContract('orders', migrations, 'orders')
