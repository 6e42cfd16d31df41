/** A safeguard, how to take it out, and the test that must notice. */
export interface Guard {
  /** What it keeps up. */
  safeguard: string
  file: string
  /** What is taken out, each text once in the file, and what is left in its place. */
  edits: [remove: string, leave: string][]
  testFile: string
  /** Its name behind that of its suite, which says on which engine; of several, any. */
  tests: [string, ...string[]]
}

const sixRules: Guard[] = [
  {
    safeguard: 'a booking is decided once for an order’s id',
    file: 'products/src/bookings/book-orders.ts',
    edits: [['!decided.has(orderId)', 'true']],
    testFile: 'products/test/bookings/bookings-http.test.ts',
    tests: [
      'the bookings of orders on sqlite are decided by the order’s id: lines that changed meanwhile do not count',
    ],
  },
  {
    safeguard: 'one booking for an order’s id, held by the table',
    file: 'products/src/database/migrations.ts',
    edits: [
      [
        "'order_id', 'char(36)', (column) => column.primaryKey()",
        "'order_id', 'char(36)', (column) => column.notNull()",
      ],
    ],
    testFile: 'products/test/bookings/bookings-races.test.ts',
    tests: ['bookings that meet on postgres are refused when a release of the order is just being committed'],
  },
  {
    safeguard: 'a rejection is stored',
    file: 'products/src/bookings/book-orders.ts',
    edits: [
      [
        'storeDecisions(trx, database.engine, fresh)',
        "storeDecisions(trx, database.engine, fresh.filter((one) => one.outcome === 'BOOKED'))",
      ],
    ],
    testFile: 'products/test/bookings/bookings-http.test.ts',
    tests: [
      'the bookings of orders on sqlite are decided once: asked again, the answer is the first one, whatever became of the product',
    ],
  },
  {
    safeguard: 'a release of an unknown order leaves a tombstone',
    file: 'products/src/bookings/release-orders.ts',
    edits: [['!known.has(orderId)', 'false']],
    testFile: 'products/test/bookings/bookings-http.test.ts',
    tests: [
      'the bookings of orders on sqlite are refused once the order was released: before it came, after it was rejected, after it was booked',
    ],
  },
  {
    safeguard: 'a timeout is no rejection (the client of products)',
    file: 'orders/src/adapters/outbound/products/inventory.ts',
    edits: [
      [
        "throw new OutcomeUnknown('The products service did not decide in time.', { cause: error })",
        "return [{ outcome: 'REJECTED', reason: 'released', lines: [] }] as T",
      ],
    ],
    testFile: 'orders/test/adapters/products-client.test.ts',
    tests: [
      'the client of the products service never takes an answer that is late for a rejection, and gives up at its deadline',
    ],
  },
  {
    safeguard: 'a failure is no rejection (the use case)',
    file: 'orders/src/application/resume-order.ts',
    edits: [
      [
        'return order\n',
        "return order.status === 'PENDING' ? ports.orders.settle(settle(order, { rejected: { reason: 'released', lines: [] } }, ports.now())) : order\n",
      ],
    ],
    testFile: 'orders/test/application/orders.test.ts',
    tests: ['placing an order keeps it pending, not rejected, when the stock cannot be asked; and says so'],
  },
  {
    safeguard: 'settling names the status it expects (SQLite, MySQL)',
    file: 'orders/src/adapters/outbound/sql/portable-writes.ts',
    edits: [[".where('status', '=', 'PENDING')", '']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: ['the order store on sqlite settles an order once: a later outcome answers what stands'],
  },
  {
    safeguard: 'settling names the status it expects (PostgreSQL)',
    file: 'orders/src/adapters/outbound/sql/postgres-writes.ts',
    edits: [[" and status = 'PENDING'", '']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: ['the order store on postgres settles an order once: a later outcome answers what stands'],
  },
  {
    safeguard: 'settling names the status it expects (the rule)',
    file: 'orders/src/domain/order.ts',
    edits: [["expectStatus(order, 'PENDING')", '']],
    testFile: 'orders/test/domain/order.test.ts',
    tests: [
      'the state machine of an order takes no step but the allowed ones, whatever is tried in whatever sequence',
    ],
  },
  {
    safeguard: 'cancelling expects an order that can be cancelled',
    file: 'orders/src/domain/order.ts',
    edits: [["case 'CONFIRMED':\n      return {", "case 'CONFIRMED':\n    case 'REJECTED':\n      return {"]],
    testFile: 'orders/test/domain/order.test.ts',
    tests: [
      'the state machine of an order takes no step but the allowed ones, whatever is tried in whatever sequence',
    ],
  },
  {
    safeguard: 'cancelled is only what was being cancelled',
    file: 'orders/src/domain/order.ts',
    edits: [["expectStatus(order, 'CANCELLING')", '']],
    testFile: 'orders/test/domain/order.test.ts',
    tests: [
      'the state machine of an order takes no step but the allowed ones, whatever is tried in whatever sequence',
    ],
  },
  {
    safeguard: 'an order is locked while it is changed',
    file: 'orders/src/adapters/outbound/sql/order-store.ts',
    edits: [["forUpdate: engine !== 'sqlite'", 'forUpdate: false']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: [
      'the order store on postgres changes an order as it stands, though it is being settled in just that moment',
    ],
  },
  {
    safeguard: 'releasing puts back only what is still booked, as seen under the locks',
    file: 'products/src/bookings/release-orders.ts',
    edits: [["statuses.get(orderId) === 'BOOKED'", 'statuses.has(orderId)']],
    testFile: 'products/test/bookings/bookings-races.test.ts',
    tests: [
      'bookings that meet on postgres go back into stock once when they are released many times at once',
    ],
  },
  {
    safeguard: 'nothing expires on a clock alone',
    file: 'orders/src/application/resume-order.ts',
    edits: [
      [
        'const outcome = await ports.inventory.book(order)',
        "const outcome: Awaited<ReturnType<typeof ports.inventory.book>> = ports.now() - order.createdAt > 60_000 ? { rejected: { reason: 'released', lines: [] } } : await ports.inventory.book(order)",
      ],
    ],
    testFile: 'orders/test/application/orders.test.ts',
    tests: ['the recovery decides an order by its stock however old it is: none expires'],
  },
]

const units: Guard[] = [
  {
    safeguard: 'products are locked',
    file: 'products/src/stock/stock-rows.ts',
    edits: [[".$if(engine !== 'sqlite', (query) => query.forUpdate())", '']],
    testFile: 'products/test/bookings/bookings-races.test.ts',
    tests: ['bookings that meet on postgres sell the last unit once to one of 500'],
  },
  {
    safeguard: 'products are locked in the order of their ids',
    file: 'products/src/stock/stock-rows.ts',
    edits: [[".orderBy('id')", '.orderBy(sql`random()`)']],
    testFile: 'products/test/bookings/bookings-races.test.ts',
    tests: [
      'bookings that meet on postgres of overlapping products in any order all end, and take what they say',
      'bookings that meet on postgres have not waited for each other in a circle in any of this',
    ],
  },
  {
    safeguard: 'bookings are inserted in the order of their ids',
    file: 'products/src/bookings/booking-rows.ts',
    edits: [['.values(bookings.map(dated).toSorted(byOrder))', '.values(bookings.map(dated))']],
    testFile: 'products/test/bookings/bookings-races.test.ts',
    tests: [
      'bookings that meet on postgres that are released before they come do not lock each other out, in any order',
      'bookings that meet on postgres have not waited for each other in a circle in any of this',
    ],
  },
  {
    safeguard: 'what was decided is looked up when the key tells of it',
    file: 'products/src/bookings/decide-once.ts',
    edits: [['attempt > 1', 'false']],
    testFile: 'products/test/bookings/bookings-http.test.ts',
    tests: [
      'the bookings of orders on sqlite are decided by the order’s id: lines that changed meanwhile do not count',
    ],
  },
  {
    safeguard: 'a booking that met another is tried again',
    file: 'products/src/bookings/decide-once.ts',
    edits: [['attempt === ATTEMPTS || !isUniqueViolation(error)', 'true']],
    testFile: 'products/test/bookings/bookings-races.test.ts',
    tests: [
      'bookings that meet on postgres decide the same order of no product that exists once when it comes 50 times at once',
    ],
  },
  {
    safeguard: 'the table takes no stock below zero',
    file: 'products/src/database/migrations.ts',
    edits: [[".addCheckConstraint('products_stock_not_negative', sql`stock >= 0`)", '']],
    testFile: 'products/test/stock/stock.test.ts',
    tests: ['the stock of a product on sqlite is kept from going below zero by the table itself'],
  },
  {
    safeguard: 'equal products of an order are merged (products)',
    file: 'products/src/bookings/decide.ts',
    edits: [['const wanted = merged(lines)', 'const wanted = [...lines]']],
    testFile: 'products/test/bookings/decide.test.ts',
    tests: ['a booking adds up the lines of one product before it looks whether there is enough'],
  },
  {
    safeguard: 'equal products of an order are merged (orders)',
    file: 'orders/src/domain/order.ts',
    edits: [['(quantities.get(productId) ?? 0) + quantity', 'quantity']],
    testFile: 'orders/test/domain/order.test.ts',
    tests: ['an order starts pending, with lines of the same product added up'],
  },
  {
    safeguard: 'an order is booked whole or not at all',
    file: 'products/src/bookings/decide.ts',
    edits: [['if (refusal) return', 'if (refusal && refusal.lines.length === wanted.length) return']],
    testFile: 'products/test/bookings/decide.test.ts',
    tests: [
      'whatever is asked of whatever stock, a booking is all of the order or nothing, and refuses none that could be had',
    ],
  },
  {
    safeguard: 'an order is confirmed with the lines it asked for alone',
    file: 'orders/src/domain/order.ts',
    edits: [['line?.quantity === quantity', 'line']],
    testFile: 'orders/test/domain/order.test.ts',
    tests: ['an order is not confirmed with other lines than were asked for'],
  },
  {
    safeguard: 'an adjustment takes no unit that is not there',
    file: 'products/src/stock/stock-store.ts',
    edits: [['if (after < 0) {', 'if (false) {']],
    testFile: 'products/test/stock/stock.test.ts',
    tests: ['the stock of a product on sqlite never goes below zero: the answer says what is there'],
  },
  {
    safeguard: 'an adjustment is made once for a key',
    file: 'products/src/stock/stock-store.ts',
    edits: [['if (made) return replayed(made, adjustment)', '']],
    testFile: 'products/test/stock/stock.test.ts',
    tests: ['the stock of a product on sqlite is adjusted once for a key, and answered the same each time'],
  },
]

const repetitions: Guard[] = [
  {
    safeguard: 'one order for a buyer’s key',
    file: 'orders/src/adapters/outbound/sql/migrations.ts',
    edits: [[".addUniqueConstraint('orders_idempotency', ['buyer_id', 'idempotency_key'])", '']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: ['the order store on sqlite answers the first order by a key, in any number of requests at once'],
  },
  {
    safeguard: 'a key is its buyer’s own',
    file: 'orders/src/adapters/outbound/sql/migrations.ts',
    edits: [["['buyer_id', 'idempotency_key']", "['idempotency_key']"]],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: ['the order store on sqlite tells keys apart by buyer and by case'],
  },
  {
    safeguard: 'a key that comes with another body is refused',
    file: 'orders/src/adapters/outbound/sql/kept-orders.ts',
    edits: [['first.fingerprint === idempotency?.fingerprint', 'true']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: ['the order store on sqlite refuses a key that came with another fingerprint'],
  },
  {
    safeguard: 'the recovery has cancellations to drive on too',
    file: 'orders/src/adapters/outbound/sql/undecided.ts',
    edits: [[" || status === 'CANCELLING'", '']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: ['the order store on sqlite hands undecided orders out when they are due, and not again at once'],
  },
  {
    safeguard: 'the recovery claims what it drives on',
    file: 'orders/src/adapters/outbound/sql/order-store.ts',
    edits: [['next_attempt_at: now + DRIVE_AGAIN_MS', 'next_attempt_at: now']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: ['the order store on sqlite hands undecided orders out when they are due, and not again at once'],
  },
  {
    safeguard: 'an answer of products that breaks the contract is not believed',
    file: 'orders/src/adapters/outbound/products/contract.ts',
    edits: [['if (!bookings.Check(answer))', 'if (false)']],
    testFile: 'orders/test/adapters/products-client.test.ts',
    tests: [
      'the client of the products service asks again for the same order after an answer that breaks the contract',
    ],
  },
  {
    safeguard: 'an answer of products for other orders is not believed',
    file: 'orders/src/adapters/outbound/products/contract.ts',
    edits: [['asked.every(({ orderId }, i) => orderId === answered[i]!.orderId)', 'true']],
    testFile: 'orders/test/adapters/products-client.test.ts',
    tests: [
      'the client of the products service asks again for the same order after an answer for another order',
    ],
  },
]

const batches: Guard[] = [
  {
    safeguard: 'a batch is split until the culprit fails alone',
    file: 'packages/service-kit/src/batching/batcher.ts',
    edits: [['!options.isPoison(error)', 'true']],
    testFile: 'packages/service-kit/test/batching/batcher.test.ts',
    tests: ['a batcher, whatever comes answers each item once, with its own answer, within its bounds'],
  },
  {
    safeguard: 'an outage is not met with a split',
    file: 'packages/service-kit/src/batching/batcher.ts',
    edits: [['!options.isPoison(error)', 'false']],
    testFile: 'packages/service-kit/test/batching/batcher.test.ts',
    tests: ['a batcher does not split a batch whose failure is nobody’s fault'],
  },
  {
    safeguard: 'who waited too long is dropped',
    file: 'packages/service-kit/src/batching/batcher.ts',
    edits: [['waiter.since < tooOld', 'false']],
    testFile: 'packages/service-kit/test/batching/batcher.test.ts',
    tests: ['a batcher drops what waited too long, without working on it'],
  },
  {
    safeguard: 'a queue is bounded',
    file: 'packages/service-kit/src/batching/batcher.ts',
    edits: [['waiting.length >= options.maxWaiting', 'false']],
    testFile: 'packages/service-kit/test/batching/batcher.test.ts',
    tests: ['a batcher refuses what finds the queue full, and nothing else'],
  },
  {
    safeguard: 'a full queue is 503 with Retry-After',
    file: 'packages/service-kit/src/http/error-handler.ts',
    edits: [['error instanceof Overloaded', 'false']],
    testFile: 'packages/service-kit/test/http/app.test.ts',
    tests: [
      'an app of the kit answers 503 and when to come back when too much is waiting or the database is away',
    ],
  },
  {
    safeguard: 'a database that is away is 503, not 500',
    file: 'packages/service-kit/src/http/error-handler.ts',
    edits: [['|| isTemporary(error)', '']],
    testFile: 'packages/service-kit/test/http/app.test.ts',
    tests: [
      'an app of the kit answers 503 and when to come back when too much is waiting or the database is away',
    ],
  },
  {
    safeguard: 'a batch that the engine undid is run again',
    file: 'packages/service-kit/src/database/transaction.ts',
    edits: [['const repeat = isContention(error) ||', 'const repeat =']],
    testFile: 'packages/service-kit/test/database/database.test.ts',
    tests: ['a database on mysql runs a transaction again that was undone to end a deadlock'],
  },
  {
    safeguard: 'a batch whose line was lost is run again, if it may be',
    file: 'packages/service-kit/src/database/transaction.ts',
    edits: [['|| (idempotent && isUnavailable(error))', '']],
    testFile: 'packages/service-kit/test/database/database.test.ts',
    tests: [
      'a database on postgres outlives the loss of a connection in a transaction, and runs it again only if it may',
    ],
  },
]

const databases: Guard[] = [
  {
    safeguard: 'SQLite takes the write lock at the beginning',
    file: 'packages/service-kit/src/database/sqlite.ts',
    edits: [["text === 'begin' ? 'begin immediate' : text", 'text']],
    testFile: 'packages/service-kit/test/database/database.test.ts',
    tests: ['a database on sqlite is its writer’s alone from the beginning of a transaction'],
  },
  {
    safeguard: 'READ COMMITTED on PostgreSQL, whatever the database’s default',
    file: 'packages/service-kit/src/database/postgres.ts',
    edits: [["'default_transaction_isolation=read\\\\ committed',", '']],
    testFile: 'packages/service-kit/test/database/database.test.ts',
    tests: [
      'a database on postgres reads what others committed in the middle of a transaction, whatever the server’s default',
    ],
  },
  {
    safeguard: 'READ COMMITTED on MySQL and MariaDB',
    file: 'packages/service-kit/src/database/mysql.ts',
    edits: [["await run('set session transaction isolation level read committed')", '']],
    testFile: 'packages/service-kit/test/database/database.test.ts',
    tests: [
      'a database on mysql reads what others committed in the middle of a transaction, whatever the server’s default',
    ],
  },
  {
    safeguard: 'nobody waits for a connection for ever (MySQL)',
    file: 'packages/service-kit/src/database/mysql.ts',
    edits: [['pool: withPatience(pool)', 'pool']],
    testFile: 'packages/service-kit/test/database/database.test.ts',
    tests: ['a database on mysql lets nobody wait for a connection for ever'],
  },
  {
    safeguard: 'a connection that breaks while it is in use ends no process',
    file: 'packages/service-kit/src/database/postgres.ts',
    edits: [["pool.on('connect', (client) => client.on('error', onConnectionError))", '']],
    testFile: 'packages/service-kit/test/database/database.test.ts',
    tests: [
      'a database on postgres outlives the loss of a connection in a transaction, and runs it again only if it may',
    ],
  },
  {
    safeguard: 'a connection that breaks while it is idle ends no process',
    file: 'packages/service-kit/src/database/postgres.ts',
    edits: [["pool.on('error', onConnectionError)", '']],
    testFile: 'packages/service-kit/test/database/database.test.ts',
    tests: ['a database on postgres outlives the loss of a connection that nobody uses'],
  },
]

const access: Guard[] = [
  {
    safeguard: 'every route says who may call it',
    file: 'packages/service-kit/src/http/app.ts',
    edits: [['route.config?.access', "route.config?.access ?? 'public'"]],
    testFile: 'packages/service-kit/test/http/app.test.ts',
    tests: ['an app of the kit does not start with a route that does not declare who may call it'],
  },
  {
    safeguard: 'a role lets in its own alone',
    file: 'packages/service-kit/src/http/access.ts',
    edits: [['access.role !== request.caller.role', "access.role === '*'"]],
    testFile: 'packages/service-kit/test/http/app.test.ts',
    tests: [
      'an app of the kit lets in by role, and tells a missing token from a refused one and from a wrong role',
    ],
  },
  {
    safeguard: 'a seller changes own products alone',
    file: 'products/src/catalogue/product-store.ts',
    edits: [
      [".where('seller_id', '=', sellerId)\n      .$if", '.$if'],
      [".where('seller_id', '=', sellerId)\n      .executeTakeFirst()", '.executeTakeFirst()'],
    ],
    testFile: 'products/test/access.test.ts',
    tests: ['who may call what keeps everything of a product from another seller, and nothing of it changes'],
  },
  {
    safeguard: 'a seller adjusts own stock alone',
    file: 'products/src/stock/stock-store.ts',
    edits: [['product?.sellerId !== sellerId', '!product']],
    testFile: 'products/test/access.test.ts',
    tests: ['who may call what keeps everything of a product from another seller, and nothing of it changes'],
  },
  {
    safeguard: 'a buyer finds own orders alone',
    file: 'orders/src/application/find-order.ts',
    edits: [['order?.buyerId === buyerId', 'order']],
    testFile: 'orders/test/http/orders-http.test.ts',
    tests: ["the orders API answers 404 for another buyer's order on every verb, and changes nothing"],
  },
  {
    safeguard: 'a buyer cancels own orders alone',
    file: 'orders/src/application/cancel-order.ts',
    edits: [['ownedBy(command.buyerId, current)', 'current']],
    testFile: 'orders/test/application/orders.test.ts',
    tests: ["cancelling an order does not find another buyer's order"],
  },
  {
    safeguard: 'a buyer lists own orders alone',
    file: 'orders/src/adapters/outbound/sql/queries.ts',
    edits: [[".where('buyer_id', '=', buyerId)", '']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: [
      'the order store on sqlite lists a buyer’s orders, newest first, in pages without gaps, by status',
    ],
  },
  {
    safeguard: 'a seller lists own sales alone',
    file: 'orders/src/adapters/outbound/sql/queries.ts',
    edits: [[".where('line.seller_id', '=', sellerId)", '']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: [
      'the order store on sqlite lists the lines that a seller sold, newest first, in pages without gaps',
    ],
  },
  {
    safeguard: 'a client names no price, status or owner',
    file: 'orders/src/adapters/inbound/http/schemas.ts',
    edits: [["{ $id: 'NewOrder', ...strict,", "{ $id: 'NewOrder',"]],
    testFile: 'orders/test/http/orders-http.test.ts',
    tests: ['the orders API refuses an order that brings its own total'],
  },
  {
    safeguard: 'the internal listener asks for a service token',
    file: 'products/src/bookings/bookings-routes.ts',
    edits: [
      [
        "'/bookings',\n    {\n      config: { access: { role: 'service' } },",
        "'/bookings',\n    {\n      config: { access: 'public' },",
      ],
    ],
    testFile: 'products/test/access.test.ts',
    tests: ['who may call what lets no user POST /bookings, nor a service that means another one'],
  },
  {
    safeguard: 'a service token is for one service',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [['audience: self,', '']],
    testFile: 'packages/service-kit/test/auth/tokens.test.ts',
    tests: ['service tokens speak for a service to one other service'],
  },
  {
    safeguard: 'a service token is short-lived, whatever it says',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [['2 * SERVICE_TOKEN_SECONDS', '1_000_000 * SERVICE_TOKEN_SECONDS']],
    testFile: 'packages/service-kit/test/auth/tokens.test.ts',
    tests: [
      'service tokens are refused when another secret made them, or when they are too old whatever they say',
    ],
  },
  {
    safeguard: 'an access token has one algorithm',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [["algorithms: ['EdDSA'],", '']],
    testFile: 'packages/service-kit/test/auth/tokens.test.ts',
    tests: ['the check of access tokens takes one algorithm, whatever the keys would allow'],
  },
  {
    safeguard: 'an access token has one issuer',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [['issuer: ISSUER,', '']],
    testFile: 'users/test/sessions/access-tokens.test.ts',
    tests: ['GET /users/me refuses a token with another issuer'],
  },
  {
    safeguard: 'an access token is for us',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [['audience: AUDIENCE,', '']],
    testFile: 'users/test/sessions/access-tokens.test.ts',
    tests: ['GET /users/me refuses a token with another audience'],
  },
  {
    safeguard: 'an access token says that it is one',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [['typ: ACCESS_TOKEN_TYPE,', '']],
    testFile: 'users/test/sessions/access-tokens.test.ts',
    tests: ['GET /users/me refuses a token with the type of an ID token'],
  },
  {
    safeguard: 'an access token ends',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [["'exp', 'iat', 'username'", "'iat', 'username'"]],
    testFile: 'users/test/sessions/access-tokens.test.ts',
    tests: ['GET /users/me refuses a token with no end'],
  },
  {
    safeguard: 'an outage of users locks nobody out',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [['      if (known) return createLocalJWKSet(known)(header, token)\n', '']],
    testFile: 'packages/service-kit/test/auth/tokens.test.ts',
    tests: [
      'the check of access tokens with keys from afar goes on with the last keys known while they cannot be fetched anew',
    ],
  },
  {
    safeguard: 'a flood of unknown keys fetches keys a few times',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [['const KEYS_COOLDOWN_MS = 30_000', 'const KEYS_COOLDOWN_MS = 0']],
    testFile: 'packages/service-kit/test/auth/tokens.test.ts',
    tests: [
      'the check of access tokens with keys from afar refuses a flood of unknown keys with a bounded number of fetches',
    ],
  },
  {
    safeguard: 'a refresh token is good once',
    file: 'users/src/sessions/sessions-store.ts',
    edits: [[".where('used_at', 'is', null)", '']],
    testFile: 'users/test/sessions/sessions.test.ts',
    tests: ['a session on sqlite ends when a refresh token comes a second time'],
  },
  {
    safeguard: 'a refresh token used twice ends its family',
    file: 'users/src/sessions/sessions-store.ts',
    edits: [['await endSession(trx, found.session_id)', '']],
    testFile: 'users/test/sessions/sessions.test.ts',
    tests: ['a session on sqlite ends when a refresh token comes a second time'],
  },
  {
    safeguard: 'a session ends, however often it is refreshed',
    file: 'users/src/sessions/sessions-store.ts',
    edits: [['|| found.ends_at <= now', '']],
    testFile: 'users/test/sessions/sessions.test.ts',
    tests: ['a session on sqlite ends 30 days after the login, however often it is refreshed'],
  },
  {
    safeguard: 'a change of password ends all sessions',
    file: 'users/src/accounts/accounts-store.ts',
    edits: [['await endSessionsOf(trx, account.id)', '']],
    testFile: 'users/test/accounts/password-change.test.ts',
    tests: ['a change of password on sqlite makes the new one the only one, and ends every session'],
  },
  {
    safeguard: 'a login does not overtake a change of password',
    file: 'users/src/sessions/sessions-store.ts',
    edits: [['if (user?.password_version !== account.passwordVersion) return false', '']],
    testFile: 'users/test/accounts/password-change.test.ts',
    tests: ['a change of password on sqlite is not overtaken by a login with the old one that was under way'],
  },
  {
    safeguard: 'a login waits for a change of password that is being committed',
    file: 'users/src/sessions/sessions-store.ts',
    edits: [[".$if(database.engine !== 'sqlite', (query) => query.forUpdate())", '']],
    testFile: 'users/test/accounts/password-change.test.ts',
    tests: [
      'a change of password on postgres that is just being committed is waited for by a login with the old one',
    ],
  },
  {
    safeguard: 'passwords are hashed a few at a time',
    file: 'users/src/app.ts',
    edits: [['hasher: boundedHasher(hasher, hashing)', 'hasher']],
    testFile: 'users/test/sessions/login.test.ts',
    tests: [
      'login on sqlite fails with 503 for those who find the queue full, holds up nobody else, and counts no attempt',
    ],
  },
  {
    safeguard: 'guesses at a password are counted before it is looked at',
    file: 'users/src/login-limits/attempts-store.ts',
    edits: [['if (wait > 0) throw', 'if (false) throw']],
    testFile: 'users/test/login-limits/login-limits.test.ts',
    tests: ['guessing passwords on sqlite a hundred times at once gets past the limit not once'],
  },
  {
    safeguard: 'an unknown user costs as much as a wrong password',
    file: 'users/src/sessions/sessions.ts',
    edits: [
      [
        'account?.passwordHash ?? hasher.decoy',
        "account?.passwordHash ?? '$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
      ],
    ],
    testFile: 'users/test/sessions/login.test.ts',
    tests: ['login on sqlite answers an unknown user and a wrong password alike, and works as hard for both'],
  },
]

const edges: Guard[] = [
  {
    safeguard: 'a change of a product says which version it changes',
    file: 'products/src/catalogue/product-store.ts',
    edits: [[".$if(version !== undefined, (query) => query.where('version', '=', version!))", '']],
    testFile: 'products/test/catalogue/catalogue.test.ts',
    tests: ['the catalogue on sqlite lets one of twenty changes to the same version through'],
  },
  {
    safeguard: 'requests on open connections are answered before the end',
    file: 'packages/service-kit/src/http/base-app.ts',
    edits: [['  drainBeforeClosing(app)\n', '']],
    testFile: 'packages/service-kit/test/http/drain.test.ts',
    tests: [
      'an app that ends answers what is in flight, and what comes on connections that were open and quiet',
    ],
  },
  {
    safeguard: 'SIGTERM ends a service in good order',
    file: 'packages/service-kit/src/process/serve.ts',
    edits: [["process.on('SIGTERM', stop)", '']],
    testFile: 'products/test/main.test.ts',
    tests: [
      'npm start serves the catalogue and the bookings on listeners of their own, and ends when told to',
    ],
  },
  {
    safeguard: 'production arms no failpoint',
    file: 'packages/service-kit/src/process/failpoint.ts',
    edits: [["process.env.NODE_ENV === 'production'", 'false']],
    testFile: 'packages/service-kit/test/process/failpoint.test.ts',
    tests: ['a failpoint is refused in production'],
  },
  {
    safeguard: 'production takes no well-known secret',
    file: 'packages/service-kit/src/process/settings.ts',
    edits: [['config.SERVICE_TOKEN_SECRET === DEVELOPMENT_SECRET', 'false']],
    testFile: 'packages/service-kit/test/process/settings.test.ts',
    tests: ['what everybody knows is refused in production: the secret of services'],
  },
  {
    safeguard: 'production takes no demo logins',
    file: 'packages/service-kit/src/process/settings.ts',
    edits: [['if (config.SEED_DEMO_DATA)', 'if (false)']],
    testFile: 'packages/service-kit/test/process/settings.test.ts',
    tests: ['what everybody knows is refused in production: demo logins'],
  },
  {
    safeguard: 'secrets are struck out of the log',
    file: 'packages/service-kit/src/observability/logger.ts',
    edits: [['if (SECRETS.has(name))', 'if (false)']],
    testFile: 'packages/service-kit/test/observability/logger.test.ts',
    tests: ['the log strikes out secrets, two levels deep'],
  },
  {
    safeguard: 'a driver’s statement and its values stay out of the log',
    file: 'packages/service-kit/src/observability/logger.ts',
    edits: [['serializers: { err: errorInLog },', '']],
    testFile: 'packages/service-kit/test/observability/logger.test.ts',
    tests: ['the log has of an error what it is and where, and not what the driver adds'],
  },
  {
    safeguard: 'a body is bounded',
    file: 'packages/service-kit/src/http/base-app.ts',
    edits: [['bodyLimit: BODY_LIMIT,', '']],
    testFile: 'packages/service-kit/test/http/app.test.ts',
    tests: ['an app of the kit answers a body that is too large with 413 payload-too-large'],
  },
  {
    safeguard: 'an unexpected error shows nothing of itself',
    file: 'packages/service-kit/src/http/error-handler.ts',
    edits: [["'internal-error',", "'internal-error', message +"]],
    testFile: 'packages/service-kit/test/http/app.test.ts',
    tests: ['an app of the kit shows nothing of an unexpected error'],
  },
  {
    safeguard: 'the gateway believes no client about where it comes from',
    file: 'packages/dev-env/src/gateway/headers.ts',
    edits: [['OF_ONE_CONNECTION, SAID_BY_PROXIES)', 'OF_ONE_CONNECTION)']],
    testFile: 'packages/dev-env/test/gateway/gateway.test.ts',
    tests: ['the gateway of npm start overwrites or drops what only a proxy may say'],
  },
]

const clocks: Guard[] = [
  {
    safeguard: 'a service token is dated by the clock that judges it',
    file: 'orders/src/adapters/outbound/products/service-token.ts',
    edits: [['clock.learn(date)', '']],
    testFile: 'orders/test/adapters/products-client.test.ts',
    tests: [
      'the client of the products service books where the clock is an hour ahead of its own, and is refused once for it',
    ],
  },
  {
    safeguard: 'an access token is judged by the clock that dated it',
    file: 'packages/service-kit/src/auth/tokens.ts',
    edits: [["if (answer.ok) clock.learn(answer.headers.get('date'))", '']],
    testFile: 'packages/service-kit/test/auth/tokens.test.ts',
    tests: [
      'the check of access tokens with keys from afar judges a token by the clock of its issuer, which is an hour ahead of ours',
    ],
  },
  {
    safeguard: 'an order that a wrong clock put off is due',
    file: 'orders/src/adapters/outbound/sql/order-store.ts',
    edits: [['return [...due, ...misdated]', 'return due']],
    testFile: 'orders/test/ports/order-store.test.ts',
    tests: ['the order store on sqlite hands out an order that a clock far ahead of ours put off'],
  },
]

/** Every safeguard that must be missed when it is gone. */
export const guards: readonly Guard[] = [
  ...sixRules,
  ...units,
  ...repetitions,
  ...batches,
  ...databases,
  ...access,
  ...edges,
  ...clocks,
]
