import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { load } from 'js-yaml'
import { configDocs } from '../../../src/project/config-docs.ts'
import { configJsonSchema } from '../../../src/project/config-schema.ts'
import { policyJsonSchema } from '../../../src/project/policy-schema.ts'

const root = join(import.meta.dirname, '../../..')

describe('what is generated from the configuration schemas', () => {
  for (const [path, content] of Object.entries(configDocs())) {
    it(`${path} is up to date`, () => {
      assert.equal(readFileSync(join(root, path), 'utf8'), content, 'stale: run npm run docs:config')
    })
  }

  it('describes every key', () => {
    const walk = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return
      const { properties = {}, additionalProperties } = schema as Record<string, Record<string, unknown>>
      for (const [key, value] of Object.entries(properties ?? {})) {
        const { description } = value as { description?: string }
        assert.ok(description?.endsWith('.'), `${path}.${key}`)
        walk(value, `${path}.${key}`)
      }
      walk(additionalProperties, `${path}.*`)
    }
    walk(configJsonSchema(), '')
    walk(policyJsonSchema(), '')
  })

  const ajv = new Ajv2020({ allowUnionTypes: true, strictTypes: false })
  const valid = (schema: object, yaml: string): boolean => ajv.validate(schema, load(yaml))

  it('the JSON Schemas judge as the program does', () => {
    const config = configJsonSchema()
    assert.ok(
      valid(
        config,
        'models: {m: {train: x, drift: {window: 7d}, gates: {staging: {min_auc: 0.8}}, notify: ["slack:#a"]}}',
      ),
    )
    for (const wrong of [
      'modles: {}',
      'models: {m: {drift: {window: week}}}',
      'models: {m: {gates: {staging: {min_auc: high}}}}',
    ]) {
      assert.ok(!valid(config, wrong), wrong)
    }
    const policy = policyJsonSchema()
    assert.ok(
      valid(policy, 'policy: {model: m, trigger: {type: drift, threshold: 0.15}, notify_on_fail: [slack: "#a"]}'),
    )
    assert.ok(!valid(policy, 'policy: {trigger: {type: drift}}'))
  })
})
