/** The boundaries of the house; each rule says what it keeps apart and why. */
const service = '^(users|products|orders)/'

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'What depends on itself can be understood only whole.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'domain-imports-domain',
      comment: 'The rules of orders know nothing of HTTP, SQL, Node or a library.',
      severity: 'error',
      from: { path: '^orders/src/domain/' },
      to: { pathNot: '^orders/src/domain/' },
    },
    {
      name: 'application-imports-inside',
      comment: 'Use cases see the domain and their own ports, never an adapter.',
      severity: 'error',
      from: { path: '^orders/src/application/' },
      to: { pathNot: '^orders/src/(application|domain)/' },
    },
    {
      name: 'adapters-do-not-meet',
      comment: 'An adapter can be taken out or replaced without another noticing.',
      severity: 'error',
      from: { path: '^orders/src/adapters/((inbound|outbound)/[^/]+)/' },
      to: {
        path: '^orders/src/adapters/',
        pathNot: '^orders/src/adapters/($1/|outbound/batch-limits[.]ts$)',
      },
    },
    {
      name: 'only-the-root-wires-adapters',
      comment: 'Adapters are chosen in app.ts, main.ts and migrate.ts alone.',
      severity: 'error',
      from: { path: '^orders/src/', pathNot: '^orders/src/(adapters/|app|main|migrate)' },
      to: { path: '^orders/src/adapters/' },
    },
    {
      name: 'fakes-are-for-tests',
      comment: 'An order kept in memory is a lost order.',
      severity: 'error',
      from: { pathNot: '(/test/|/memory/)' },
      to: { path: '^orders/src/adapters/outbound/memory/' },
    },
    {
      name: 'services-do-not-import-services',
      comment: 'They meet over their contracts. Tools that run or describe the whole system may see all.',
      severity: 'error',
      from: { path: service },
      to: { path: service, pathNot: '^$1/' },
    },
    {
      name: 'the-kit-knows-no-service',
      comment: 'What every service needs cannot depend on one of them.',
      severity: 'error',
      from: { path: '^packages/service-kit/' },
      to: { path: '^(users|products|orders|nginx|tools|e2e|lab|deploy|packages/dev-env)/' },
    },
    {
      name: 'telemetry-on-demand',
      comment: 'Who neither measures nor traces loads no library for it: the rest speaks to telemetry.ts.',
      severity: 'error',
      from: { pathNot: '^packages/service-kit/src/observability/(metrics|tracing)[.]ts$' },
      to: { path: '^node_modules/(@opentelemetry|@prometheus-io)/' },
    },
    {
      name: 'telemetry-is-imported-at-start',
      comment: 'By `serve`, when the environment asks for it.',
      severity: 'error',
      from: {},
      to: { path: '^packages/service-kit/src/observability/(metrics|tracing)[.]ts$', dynamic: false },
    },
    {
      name: 'sources-do-not-import-tests',
      comment: 'Test helpers stay out of what runs.',
      severity: 'error',
      from: { path: '/src/', pathNot: '^tools/run-tests.ts$' },
      to: { path: '(/test/|/testing/|^(e2e|lab|tools)/)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // TypeScript 7 has no compiler API that the tool can use yet; SWC reads types' imports as well.
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js'],
    },
  },
}
