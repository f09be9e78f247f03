import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../config/read-config.ts';
import { checkExposure } from './check-exposure.ts';
import { lineOf } from './finding.ts';

const linesOf = (environment: NodeJS.Dict<string>) => checkExposure(readConfig({}, undefined, environment)).map(lineOf);

test('proxies anywhere are a warning, private networks are none', () => {
  for (const ranges of ['0.0.0.0/0', '10.0.0.1, ::/0', '0.0.0.0/1,128.0.0.0/1', '2000::/3'])
    assert.match(
      linesOf({ TRUSTED_PROXIES: ranges })[0] ?? '',
      /^TRUSTED_PROXIES=\S+ trusts every address.*; name the/,
    );
  for (const ranges of ['10.0.0.0/8,172.16.0.0/12,192.168.0.0/16', 'fc00::/7', '192.0.2.1', '::1'])
    assert.deepEqual(linesOf({ TRUSTED_PROXIES: ranges }), [], ranges);
});

test('an operate listener on every address is a warning, one on an address is none', () => {
  for (const host of ['0.0.0.0', '::'])
    assert.match(linesOf({ OPERATE_HOST: host })[0] ?? '', /^OPERATE_HOST=\S+ opens \/metrics, without a key/);
  assert.deepEqual(linesOf({ OPERATE_HOST: '10.0.0.1' }), []);
  assert.deepEqual(linesOf({}), []);
});
