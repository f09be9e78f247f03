import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Option } from './option.ts';
import { type Config, options } from './options.ts';
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
  ['ACCESS_TOKEN_SECONDS', '9', /from 10 to 86400/],
  ['REFRESH_TOKEN_SECONDS', '899', /ACCESS_TOKEN_SECONDS 900: it is above REFRESH_TOKEN_SECONDS 899/],
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
  ['CALLER_ADDRESS_FROM', 'x-real-ip', /CALLER_ADDRESS_FROM .*is not one of headers, forwarded/],
  ['CALLER_ADDRESS_FROM', 'forwarded', /CALLER_ADDRESS_FROM forwarded: TRUSTED_PROXIES is not set/],
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

test('the routes for operators answer on the public listener only of a service for development', () => {
  const operateOf = (environment: NodeJS.Dict<string>) => {
    const { operateHost, operatePort } = readConfig({}, undefined, environment);
    return [operateHost, operatePort];
  };
  assert.deepEqual(operateOf({}), [undefined, undefined]);
  assert.deepEqual(operateOf({ HOST: '127.0.0.2' }), [undefined, undefined]);
  assert.deepEqual(operateOf({ ISSUER: 'https://id.example' }), ['127.0.0.1', 9000]);
  assert.deepEqual(operateOf({ TRUSTED_PROXIES: '127.0.0.1' }), ['127.0.0.1', 9000]);
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

test('the environment is read as orchestrators hand it over', () => {
  const portOf = (PORT: string) => readConfig({}, undefined, { PORT }).port;
  assert.deepEqual(
    ['81\n', ' 81 ', '"81"', "'81'\r\n", '', '""', '\n'].map(portOf),
    [81, 81, 81, 81, 8000, 8000, 8000],
  );
  const config = readConfig({}, fileOf('BACKLOG=\nKEEP_ALIVE_SECONDS="3"\n'), { ISSUER: '', DATABASE_URL: ' ' });
  assert.deepEqual([config.backlog, config.keepAliveSeconds, config.databaseUrl], [2048, 3, undefined]);
  assert.equal(config.issuer, 'http://127.0.0.1:8000');
  assert.equal(readConfig({}, fileOf('\uFEFFBACKLOG=7\r\nPORT="82"\r\n'), {}).backlog, 7);
  // A quote inside, or on one side only, belongs to the value.
  assert.equal(readConfig({}, undefined, { DATA_DIR: `o'clock"` }).dataDir, `o'clock"`);
  assert.throws(() => readConfig({ PORT: '' }, undefined, {}), /PORT from the flag --port: ""/);
});

test('the variables of a service that Kubernetes calls redis or catalytic are not ours', () => {
  const address = 'tcp://10.96.0.11:6379';
  const environment = { REDIS_PORT: address, REDIS_SERVICE_HOST: '10.96.0.11', CATALYTIC_PORT: address, PORT: address };
  const config = readConfig({}, undefined, environment);
  assert.deepEqual([config.redisPort, config.port], [6379, 8000]);
  assert.throws(() => readConfig({ PORT: address }, undefined, {}), /PORT from the flag/);
  assert.throws(() => readConfig({}, undefined, { BACKLOG: address }), /BACKLOG from the environment/);
});

const secrets = Object.entries<Option>(options).filter(([, { secret }]) => secret === true);
const exampleOf = (name: string): string => {
  if (name === 'CATALYTIC_MASTER_KEY') return Buffer.alloc(32, 7).toString('base64');
  if (name.endsWith('_URL') || name.endsWith('_URLS'))
    return `${name.startsWith('REDIS') ? 'redis' : 'postgres'}://me:"x"@db/one`;
  return '"it is \' quoted" ';
};

for (const [field, { name }] of secrets)
  test(`${name} may stand in a file, exactly as it is there but for the line end`, () => {
    const value = exampleOf(name);
    const path = join(folder, name);
    writeFileSync(path, `\uFEFF${value}\r\n\n`);
    const read = (...given: Parameters<typeof readConfig>): unknown => readConfig(...given)[field as keyof Config];
    assert.equal(read({}, undefined, { [`${name}_FILE`]: path }), value);
    assert.equal(read({ [`${name}_FILE`]: path }, undefined, { [name]: 'outranked' }), value);
    assert.equal(read({}, fileOf(`${name}_FILE=${path}\n`), {}), value);
    assert.equal(read({}, fileOf(`${name}=outranked\n`), { [`${name}_FILE`]: path }), value);
    assert.throws(
      () => readConfig({}, undefined, { [name]: value, [`${name}_FILE`]: path }),
      new RegExp(`Cannot use ${name}_FILE from the environment: ${name} is given there too; take one of them away`),
    );
    assert.throws(
      () => readConfig({}, undefined, { [`${name}_FILE`]: join(folder, 'none') }),
      new RegExp(`Cannot use ${name}_FILE from the environment: ENOENT`),
    );
    writeFileSync(path, '\n');
    assert.throws(
      () => readConfig({}, undefined, { [`${name}_FILE`]: path }),
      new RegExp(`Cannot use ${name} from the file .*: its value is not`),
    );
  });
