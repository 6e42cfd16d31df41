import { migrationContract } from '@souk/service-kit/testing/migration-contract'
import { migrations } from '../src/database/migrations.ts'

await migrationContract('products', migrations, 'products')
