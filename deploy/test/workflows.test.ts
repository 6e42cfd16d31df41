import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

interface Workflow {
  permissions: object
  on: Record<string, unknown>
  jobs: Record<string, Job>
}
interface Job {
  'timeout-minutes'?: number
  permissions?: object
  needs?: string
  uses?: string
  steps?: { uses?: string; run?: string; with?: Record<string, unknown> }[]
}

const textOf = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8')
const read = (file: string): Workflow => parse(textOf(`.github/workflows/${file}`))
const FILES = globSync('*.yaml', { cwd: `${ROOT}.github/workflows` }).sort()
/** Returns the paths of the files of the repository that have this name, sorted. */
const pathsOf = (name: string) =>
  globSync(`**/${name}`, { cwd: ROOT, exclude: (path) => path.includes('node_modules') }).sort()
/** Returns the folders of these files, as Dependabot writes them. */
const foldersOf = (name: string) =>
  new Set(pathsOf(name).map((path) => `/${dirname(path)}`.replace(/\.$/, '')))

describe('GitHub workflows:', () => {
  for (const file of FILES) {
    const { jobs, permissions } = read(file)
    const steps = Object.values(jobs).flatMap((job) => job.steps ?? [])

    it(`every action in ${file} is pinned by commit, with its version in a comment`, () => {
      const used = [...textOf(`.github/workflows/${file}`).matchAll(/uses: (.*)/g)].map(
        ([, action]) => action!,
      )
      for (const action of used)
        assert.match(action, /^(\.\/\.github\/workflows\/\w+\.yaml|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
    })

    it(`the jobs of ${file} can only read the repository, except for the one that publishes images`, () => {
      assert.deepEqual(permissions, { contents: 'read' })
      const more = Object.entries(jobs).filter(([, job]) => job.permissions)
      const expected = { contents: 'read', packages: 'write' }
      assert.deepEqual(
        more.map(([name, job]) => [name, job.permissions]),
        file === 'images.yaml' ? [['image', expected]] : [],
      )
    })

    it(`${file} stores no credentials in the checkout and limits the time of each job`, () => {
      for (const { uses, with: options } of steps)
        if (uses?.startsWith('actions/checkout@')) assert.equal(options?.['persist-credentials'], false)
      for (const [name, job] of Object.entries(jobs)) assert.ok(job.uses || job['timeout-minutes'], name)
    })

    it(`no command in ${file} contains text that another person can choose`, () => {
      // GitHub inserts an expression into the script before a shell runs it, so the text could contain commands.
      for (const { run = '' } of steps) assert.doesNotMatch(run, /\$\{\{ *(github|inputs|env)\b/)
    })
  }

  it('images are published only after all tests of the same commit have passed', () => {
    const { jobs } = read('images.yaml')
    // A workflow that is called with a relative path comes from the same commit as its caller, and checks it out.
    assert.deepEqual(jobs.ci, { uses: './.github/workflows/ci.yaml' })
    const others = Object.entries(jobs).filter(([name]) => name !== 'ci')
    for (const [name, { needs }] of others) assert.equal(needs, 'ci', name)
    const ci = read('ci.yaml')
    assert.ok('workflow_call' in ci.on)
    assert.ok(Object.values(ci.jobs).every(({ steps }) => steps?.some(({ run }) => run === 'bash .ci/run')))
  })

  it('every change, and every week, the dependencies are searched for vulnerabilities, signatures are verified and an SBOM is written', () => {
    const { on, jobs } = read('dependencies.yaml')
    assert.deepEqual(Object.keys(on).sort(), ['pull_request', 'push', 'schedule'])
    const commands = jobs.npm!.steps!.map(({ run }) => run)
    for (const command of ['npm audit signatures', 'npm audit --audit-level=moderate'])
      assert.ok(commands.includes(command), command)
    assert.ok(commands.some((command) => command?.startsWith('npm sbom --sbom-format cyclonedx')))
    const scanner = jobs.osv!.steps!.find(({ uses }) => uses?.startsWith('google/osv-scanner-action'))
    assert.deepEqual(
      `${scanner!.with!['scan-args']}`.split('\n'),
      pathsOf('package-lock.json').map((file) => `--lockfile=${file}`),
    )
  })

  it('Dependabot updates every lock file, every Dockerfile, the Compose files and the actions', () => {
    const { updates } = parse(textOf('.github/dependabot.yml')) as {
      updates: { 'package-ecosystem': string; directory?: string; directories?: string[] }[]
    }
    const updated = updates.map(({ 'package-ecosystem': ecosystem, directory, directories }) => [
      ecosystem,
      new Set(directories ?? [directory]),
    ])
    assert.deepEqual(Object.fromEntries(updated), {
      npm: foldersOf('package-lock.json'),
      docker: foldersOf('Dockerfile'),
      'docker-compose': foldersOf('docker-compose*.yaml'),
      // Dependabot finds the workflows from the root.
      'github-actions': new Set(['/']),
    })
  })
})
