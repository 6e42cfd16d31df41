/** The rules for imports between folders. `npm run check -- boundaries` checks them. */
const anyService = '^(users|products|orders)/'
/** The code that runs in production, and its tests. */
const production = '^(users|products|orders|packages/(service-kit|client)|web|nginx)/'
/** The code that starts, tests, measures or deploys the production code. */
const tooling = '^(packages/dev-env|tools|lab|e2e|deploy)/'
const tests = '/(test|testing)/'
const kit = '^packages/service-kit/src'

/** The folders of the kit (packages/service-kit/src), each with the other folders from which its files may import. */
const kitLayers = {
  observability: [],
  auth: [],
  database: ['observability'],
  batching: ['observability'],
  http: ['auth', 'batching', 'database', 'observability'],
  process: ['database', 'observability'],
}

const kitLayerRules = Object.entries(kitLayers).map(([folder, others]) => ({
  name: `kit-${folder}-layer`,
  comment: `In the kit, ${folder}/ imports only ${[folder, ...others].map((name) => `${name}/`).join(', ')}.`,
  severity: 'error',
  from: { path: `${kit}/${folder}/` },
  to: { path: `${kit}/`, pathNot: `${kit}/(${[folder, ...others].join('|')})/` },
}))

module.exports = {
  forbidden: [
    {
      name: 'no-circular-files',
      comment: 'Files must not import each other in a circle.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-circular-folders',
      comment: 'The folders of a service, or of the kit, must not import each other in a circle.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(users|products|orders|packages/service-kit)/src/[^/]+$' },
      to: { circular: true },
    },
    ...kitLayerRules,
    {
      name: 'domain-imports-only-domain',
      comment: 'The domain of orders does not depend on HTTP, SQL, Node or a library.',
      severity: 'error',
      from: { path: '^orders/src/domain/' },
      to: { pathNot: '^orders/src/domain/' },
    },
    {
      name: 'application-imports-no-adapter',
      comment: 'The use cases of orders import only the domain and the ports in application/.',
      severity: 'error',
      from: { path: '^orders/src/application/' },
      to: { pathNot: '^orders/src/(application|domain)/' },
    },
    {
      name: 'adapters-are-independent',
      comment: 'Adapters do not import each other, so that replacing an adapter changes no other adapter.',
      severity: 'error',
      from: { path: '^orders/src/adapters/((inbound|outbound)/[^/]+)/' },
      to: {
        path: '^orders/src/adapters/',
        pathNot: '^orders/src/adapters/($1/|outbound/batch-limits[.]ts$)',
      },
    },
    {
      name: 'only-entry-points-choose-adapters',
      comment: 'Outside of adapters/, only app.ts, main.ts and migrate.ts import adapters.',
      severity: 'error',
      from: { path: '^orders/src/', pathNot: '^orders/src/(adapters/|app|main|migrate)' },
      to: { path: '^orders/src/adapters/' },
    },
    {
      name: 'memory-adapters-only-in-tests',
      comment: 'Orders in memory are lost when the process ends, so only tests may store them there.',
      severity: 'error',
      from: { pathNot: '(/test/|/memory/)' },
      to: { path: '^orders/src/adapters/outbound/memory/' },
    },
    {
      name: 'database-imports-no-feature',
      comment: 'In users and products, database/ imports no other folder of the service.',
      severity: 'error',
      from: { path: '^(users|products)/src/database/' },
      to: { path: '^$1/src/[^/]+/', pathNot: '^$1/src/database/' },
    },
    {
      name: 'features-import-no-entry-point',
      comment: 'The folders of a service do not import its entry points, such as app.ts and main.ts.',
      severity: 'error',
      from: { path: '^(users|products|orders)/src/[^/]+/' },
      to: { path: '^$1/src/(app|main|migrate|seed|rotate-key)[.]ts$' },
    },
    {
      name: 'services-do-not-import-services',
      comment: 'Services do not import each other: they communicate only over HTTP.',
      severity: 'error',
      from: { path: anyService },
      to: { path: anyService, pathNot: '^$1/' },
    },
    {
      name: 'kit-is-self-contained',
      comment: 'All services share the kit, so the kit must not import other parts of the repository.',
      severity: 'error',
      from: { path: '^packages/service-kit/' },
      to: { path: `${anyService}|^nginx/|${tooling}` },
    },
    {
      name: 'pages-import-only-the-client',
      comment: 'The pages and the client know the rest of the system only by its contract.',
      severity: 'error',
      from: { path: '^(web|packages/client)/', pathNot: tests },
      to: { path: '^(users|products|orders|packages|nginx|swagger)/', pathNot: '^packages/client/' },
    },
    {
      name: 'production-imports-no-tooling',
      comment:
        'The code that runs in production does not depend on the code that starts, tests or measures it.',
      severity: 'error',
      from: { path: production, pathNot: tests },
      to: { path: tooling },
    },
    {
      name: 'sources-import-no-tests',
      comment: 'Only tests, tools, lab, e2e and deploy may import from tests or from these folders.',
      severity: 'error',
      from: { pathNot: `(${tests}|^(tools|lab|e2e|deploy)/)` },
      to: { path: `(${tests}|^(tools|lab|e2e|deploy)/)` },
    },
    {
      name: 'telemetry-libraries-only-in-two-files',
      comment:
        'Only metrics.ts and tracing.ts import these libraries, so that they are loaded only if they are configured.',
      severity: 'error',
      from: { pathNot: `${kit}/observability/(metrics|tracing)[.]ts$` },
      to: { path: '^node_modules/(@opentelemetry|@prometheus-io)/' },
    },
    {
      name: 'telemetry-is-imported-dynamically',
      comment:
        '`serve` imports metrics.ts and tracing.ts dynamically, only if metrics or traces are configured.',
      severity: 'error',
      from: {},
      to: { path: `${kit}/observability/(metrics|tracing)[.]ts$`, dynamic: false },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^web/dist/' },
    // dependency-cruiser does not support TypeScript 7 yet, so SWC parses the files, including type imports.
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js'],
    },
  },
}
