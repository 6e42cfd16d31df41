import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contractForSpecmatic } from '../specmatic/contract.ts'
import { casesOf, faultsIn } from '../specmatic/report.ts'

const contract = {
  paths: {
    '/things/{id}': {
      get: { operationId: 'getThing', 'x-access': 'BUYER', responses: { 200: {}, 404: {}, 500: {} } },
    },
  },
  components: { schemas: { Thing: { type: 'object', properties: { name: { pattern: '^[^\\u0000]*$' } } } } },
}

/** Returns the JUnit element that Specmatic writes for a request to `GET /things/{id}`. */
const element = (sign: '+' | '-', what: string, failure?: string) =>
  `<testcase classname="io.specmatic.test.SpecmaticJUnitSupport" name="Contract Tests &gt; SpecmaticJUnitSupport &gt; contractTest() &gt; ${sign}ve  Scenario: GET /things/(id:number) -&gt; 200 with ${what}">` +
  (failure ? `<failure message="STATUS&#10;${failure}" type="java.lang.AssertionError"/>` : '') +
  '</testcase>'
const statusInstead = (status: number) =>
  `Specification expected status 200 but response contained status ${status}`
const faultsOf = (...elements: string[]) =>
  faultsIn(casesOf(`<testsuite>${[element('+', 'an id'), ...elements].join('\n')}</testsuite>`), contract)

describe('the verdict on the report of Specmatic', () => {
  it('accepts a valid request that receives a 4xx status that the contract lists', () => {
    assert.deepEqual(faultsOf(element('+', 'an id', statusInstead(404))), [])
  })

  for (const status of [500, 418, 302])
    it(`reports a valid request that receives the status ${status}`, () => {
      assert.equal(faultsOf(element('+', 'an id', statusInstead(status))).length, 1)
    })

  it('reports a response whose body does not match the contract', () => {
    assert.equal(faultsOf(element('+', 'an id', '&gt;&gt; RESPONSE.BODY.id is missing')).length, 1)
  })

  it('reports an invalid request that succeeds', () => {
    assert.equal(faultsOf(element('-', 'no id', 'Expected 4xx status, but received 200')).length, 1)
  })

  it('reports an invalid request that receives the status 500', () => {
    assert.equal(
      faultsOf(element('-', "an invalid regex '^a_$'", 'Expected 4xx status, but received 500')).length,
      1,
    )
  })

  it('accepts a string that Specmatic made invalid with `_` although the pattern allows `_`', () => {
    const failure = 'Expected 4xx status, but received 200'
    assert.deepEqual(faultsOf(element('-', "a value matching an invalid regex '^[a-z_]*_$'", failure)), [])
  })

  it('reports an operation of which no valid request succeeded', () => {
    assert.deepEqual(faultsIn([], contract), ['No valid request succeeded: get /things/{id}'])
  })
})

it('the contract for Specmatic names the token of each operation and contains no pattern with \\u', () => {
  const changed = JSON.parse(JSON.stringify(contractForSpecmatic(contract)))
  assert.deepEqual(changed.paths['/things/{id}'].get.security, [{ buyer: [] }])
  assert.deepEqual(changed.components.schemas.Thing.properties.name, {})
})
