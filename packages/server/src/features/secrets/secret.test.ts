import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from './secret.ts';

test('a secret prints as a placeholder however it is printed, and only reveal opens it', () => {
  const secret = new Secret('canary');
  const shown = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    format('%s %o %j', secret, secret, secret),
  ];
  for (const text of shown) assert.ok(!text.includes('canary'), text);
  assert.equal(secret.reveal(), 'canary');
});
