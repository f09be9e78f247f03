import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readConfig } from './read-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'catalytic-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (text: string): string => {
  const path = join(folder, 'catalytic.conf');
  writeFileSync(path, text);
  return path;
};

test('flags win over the environment, the environment over the file, the file over the defaults', () => {
  const file = fileOf('PORT=1\nBACKLOG=1\nKEEP_ALIVE_SECONDS=1\n');
  const config = readConfig({ PORT: '3' }, file, { PORT: '2', BACKLOG: '2' });
  assert.deepEqual([config.port, config.backlog, config.keepAliveSeconds, config.hashQueueMs], [3, 2, 1, 2000]);
});

test('issuer and audience follow the address unless given', () => {
  assert.equal(readConfig({}, undefined, { PORT: '81' }).issuer, 'http://127.0.0.1:81');
  assert.equal(readConfig({}, undefined, { HOST: '::1' }).audience, 'http://[::1]:8000');
  assert.equal(readConfig({}, undefined, { ISSUER: 'https://id.example' }).audience, 'https://id.example');
});

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['PORT', '65536', /PORT from the environment: "65536" is not a whole number from 0 to 65535/],
  ['PORT', '8e3', /PORT/],
  ['PORT', '', /PORT/],
  ['ACCESS_TOKEN_SECONDS', '9', /from 10 to 86400/],
  [
    'HOST',
    '0.0.0.0',
    /HOST 0\.0\.0\.0: plain HTTP.*a proxy that ends TLS; set TLS_CERT_FILE and TLS_KEY_FILE, or TRUSTED_PROXIES/,
  ],
  ['HOST', 'auth.example.com', /HOST from the environment: "auth\.example\.com" is not an IP address or localhost/],
  ['HOST', '127.0.0.256', /HOST/],
  ['TRUSTED_PROXIES', '10.0.0.0/33', /TRUSTED_PROXIES .*is not addresses or ranges/],
  ['TRUSTED_PROXIES', '10.0.0.1,', /TRUSTED_PROXIES/],
  ['TRUSTED_PROXIES', 'proxy.internal', /TRUSTED_PROXIES/],
  ['OPERATE_HOST', 'everywhere', /OPERATE_HOST/],
  ['OPERATE_PORT', '65536', /OPERATE_PORT/],
  ['ISSUER', 'https://id.example?x', /ISSUER/],
  ['SIGNING_ALGORITHM', 'HS256', /one of ES256/],
  ['LOG_LEVEL', 'loud', /LOG_LEVEL/],
];

for (const [name, value, message] of refused)
  test(`${name}="${value}" stops the start and names itself`, () => {
    assert.throws(() => readConfig({}, undefined, { [name]: value }), message);
  });

test('a secret that is not allowed is not repeated in the message', () => {
  assert.throws(
    () => readConfig({}, undefined, { CATALYTIC_MASTER_KEY: 'canary' }),
    (error: Error) => error.message.includes('CATALYTIC_MASTER_KEY') && !error.message.includes('canary'),
  );
});

test('a name in the file that is no option is a mistake; in the environment it is not ours', () => {
  assert.throws(() => readConfig({}, fileOf('PROT=1\n'), {}), /no option named PROT/);
  assert.doesNotThrow(() => readConfig({}, undefined, { PROT: '1' }));
});

test('with TLS a HOST beyond this machine needs no proxy, but the issuer; on loopback the issuer is https', () => {
  const files = { TLS_CERT_FILE: 'tls.crt', TLS_KEY_FILE: 'tls.key' };
  assert.throws(() => readConfig({}, undefined, { ...files, HOST: '0.0.0.0' }), /HOST 0\.0\.0\.0: ISSUER is not set/);
  assert.equal(
    readConfig({}, undefined, { ...files, HOST: '0.0.0.0', ISSUER: 'https://a.b' }).trustedProxies,
    undefined,
  );
  assert.equal(readConfig({}, undefined, files).issuer, 'https://127.0.0.1:8000');
});

const behindProxy = { HOST: '10.1.2.3', TRUSTED_PROXIES: '10.1.0.0/16,::1', ISSUER: 'https://id.example' };

test('a HOST beyond this machine needs the proxies and the issuer, and says which is missing', () => {
  const { ISSUER: _issuer, ...withoutIssuer } = behindProxy;
  assert.throws(() => readConfig({}, undefined, withoutIssuer), /HOST 10\.1\.2\.3: ISSUER is not set/);
  assert.equal(readConfig({}, undefined, behindProxy).audience, 'https://id.example');
});

test('the routes for operators answer on the public listener only while it is on loopback and no other is configured', () => {
  const operateOf = (environment: NodeJS.Dict<string>) => {
    const { operateHost, operatePort } = readConfig({}, undefined, environment);
    return [operateHost, operatePort];
  };
  assert.deepEqual(operateOf({}), [undefined, undefined]);
  assert.deepEqual(operateOf({ HOST: '127.0.0.2' }), [undefined, undefined]);
  assert.deepEqual(operateOf(behindProxy), ['127.0.0.1', 9000]);
  assert.deepEqual(operateOf({ OPERATE_PORT: '0' }), ['127.0.0.1', 0]);
  assert.deepEqual(operateOf({ OPERATE_HOST: '10.1.2.3' }), ['10.1.2.3', 9000]);
  assert.deepEqual(operateOf({ ...behindProxy, OPERATE_HOST: '::1', OPERATE_PORT: '9' }), ['::1', 9]);
});

test('two listeners do not fit on one port of one address', () => {
  const clash = /Cannot use OPERATE_PORT 9000: the public listener takes it on \S+; give another one/;
  assert.throws(() => readConfig({}, undefined, { PORT: '9000', OPERATE_PORT: '9000' }), clash);
  assert.throws(() => readConfig({}, undefined, { ...behindProxy, HOST: '0.0.0.0', PORT: '9000' }), clash);
  assert.doesNotThrow(() => readConfig({}, undefined, { ...behindProxy, PORT: '9000' }));
  assert.doesNotThrow(() => readConfig({}, undefined, { PORT: '0', OPERATE_PORT: '0' }));
});
