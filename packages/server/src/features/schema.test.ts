import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Static, Type } from './schema.ts';

test('a schema is plain JSON Schema, and requires each field that may not be left out', () => {
  const schema = Type.Object(
    {
      name: Type.String({ minLength: 1 }),
      mode: Type.Literal('open'),
      counts: Type.Optional(Type.Array(Type.Union([Type.Integer(), Type.Null()]), { maxItems: 3 })),
      labels: Type.Record(Type.String()),
    },
    { additionalProperties: false, title: 'Example' },
  );
  assert.deepEqual(JSON.parse(JSON.stringify(schema)), {
    type: 'object',
    required: ['name', 'mode', 'labels'],
    properties: {
      name: { type: 'string', minLength: 1 },
      mode: { type: 'string', const: 'open' },
      counts: { type: 'array', items: { anyOf: [{ type: 'integer' }, { type: 'null' }] }, maxItems: 3 },
      labels: { type: 'object', patternProperties: { '^.*$': { type: 'string' } } },
    },
    additionalProperties: false,
    title: 'Example',
  });
  const value: Static<typeof schema> = { name: 'a', mode: 'open', counts: [1, null], labels: { a: 'b' } };
  const least: Static<typeof schema> = { name: 'a', mode: 'open', labels: {} };
  assert.notDeepEqual(value, least);
});

test('an object of which every field may be left out requires none', () => {
  assert.deepEqual(Object.keys(Type.Object({ name: Type.Optional(Type.String()) })), ['type', 'properties']);
});
