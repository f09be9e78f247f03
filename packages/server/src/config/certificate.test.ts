import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificate, placeCertificate } from '../../../../tests/harness/certificates.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import { checkCertificate } from '../preflight/check-certificate.ts';
import { readCertificate } from './certificate.ts';
import { readConfig } from './read-config.ts';

const root = makeCertificate({ names: ['Test Root'], isAuthority: true });
const middle = makeCertificate({ names: ['Test Intermediate'], isAuthority: true, issuer: root });
const leaf = makeCertificate({ names: ['id.example', '10.1.2.3'], issuer: middle });
const other = makeCertificate();

const files = (folder: string, { cert = leaf.cert + middle.cert, key = leaf.key } = {}) => {
  const settings = placeCertificate(folder, { cert, key });
  return { certFile: settings.TLS_CERT_FILE, keyFile: settings.TLS_KEY_FILE };
};

test('a chain with its key is read, with its names and its end', (t) => {
  const certificate = readCertificate(files(folderIn(t)));
  assert.deepEqual(certificate.names, ['id.example', '10.1.2.3']);
  assert.deepEqual(certificate.warnings, []);
  assert.ok(Math.abs(certificate.expiresMs - Date.now() - 90 * 86_400_000) < 60_000);
  assert.deepEqual(
    ['id.example', '10.1.2.3', 'elsewhere.example', '[::1]'].map((host) => certificate.isFor(host)),
    [true, true, false, false],
  );
});

const encrypted = createPrivateKey(leaf.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary' })
  .toString();
const refusals: readonly (readonly [string, { cert?: string; key?: string }, RegExp])[] = [
  ['the key of another certificate', { key: other.key }, /TLS_KEY_FILE \S+: it is not the key of the certificate in/],
  [
    'the chain in the wrong order',
    { cert: middle.cert + leaf.cert },
    /KEY_FILE \S+: it is the key of certificate 2 in/,
  ],
  ['no certificate', { cert: '' }, /TLS_CERT_FILE \S+: it holds no certificate in PEM form/],
  ['no key', { key: 'nothing' }, /TLS_KEY_FILE \S+: it holds no private key in PEM form/],
  ['a key for a certificate', { cert: leaf.key }, /TLS_CERT_FILE \S+: .* are TLS_CERT_FILE and TLS_KEY_FILE exchanged/],
  ['a certificate for a key', { key: leaf.cert }, /TLS_KEY_FILE \S+: .* exchanged/],
  ['a key under a passphrase', { key: encrypted }, /TLS_KEY_FILE \S+: it is protected by a passphrase; .*openssl pkey/],
  ['a damaged key', { key: leaf.key.replace('M', '') }, /TLS_KEY_FILE \S+: the private key in it is damaged/],
  ['a damaged certificate', { cert: leaf.cert.replace('M', '') }, /TLS_CERT_FILE \S+: certificate 1 of it is damaged/],
  ['a list of roots', { cert: root.cert.repeat(17) }, /TLS_CERT_FILE \S+: it holds 17 certificates/],
  ['far too much', { cert: 'x'.repeat(2 ** 20 + 1) }, /TLS_CERT_FILE \S+: it is larger than/],
];
for (const [about, change, message] of refusals)
  test(`${about} is refused with a sentence that names the file`, (t) => {
    const found = files(folderIn(t), change);
    assert.throws(
      () => readCertificate(found),
      (error: Error) => message.test(error.message) && !error.message.includes('canary'),
    );
  });

test('a file that is not there, or is none, is named', (t) => {
  const folder = folderIn(t);
  const { certFile, keyFile } = files(folder);
  assert.throws(
    () => readCertificate({ certFile: `${certFile}x`, keyFile }),
    /TLS_CERT_FILE \S+x: there is no such file/,
  );
  assert.throws(
    () => readCertificate({ certFile, keyFile: join(certFile, 'x') }),
    /TLS_KEY_FILE \S+: there is no such/,
  );
  assert.throws(() => readCertificate({ certFile: folder, keyFile }), /TLS_CERT_FILE \S+: it is not a file/);
});

test('a key that others can read, and a chain with a gap, are warned of', (t) => {
  const found = files(folderIn(t), { cert: leaf.cert + root.cert });
  chmodSync(found.keyFile, 0o644);
  const { warnings } = readCertificate(found);
  assert.match(warnings[0] ?? '', /certificate 2 has not issued certificate 1/);
  assert.match(warnings[1] ?? '', /has mode 644: others can read it; run "chmod o= /);
  chmodSync(found.keyFile, 0o640);
  assert.equal(readCertificate(found).warnings.length, 1, 'a group may be meant');
});

test('one file without the other stops the start', () => {
  for (const name of ['TLS_CERT_FILE', 'TLS_KEY_FILE'])
    assert.throws(() => readConfig({}, undefined, { [name]: 'x' }), new RegExp(`Cannot use ${name} without TLS_`));
});

test('doctor tells the days that are left, the names, and what does not fit', (t) => {
  const folder = folderIn(t);
  const findings = (recipe: Parameters<typeof makeCertificate>[0], issuer = 'https://id.example') => {
    const settings = placeCertificate(folder, makeCertificate({ names: ['id.example'], ...recipe }));
    const config = readConfig({}, undefined, { ...settings, ISSUER: issuer });
    return checkCertificate(config, Date.now()).map(({ level, text }) => `${level} ${text}`);
  };
  const [key, validity, names] = findings({ untilDays: 30.5 });
  assert.match(key ?? '', /^ok TLS_KEY_FILE \S+ is the key/);
  assert.match(validity ?? '', /^ok The certificate in \S+ is valid until \d{4}-\d\d-\d\d, 30 more days$/);
  assert.match(names ?? '', /^ok The certificate in \S+ is for id\.example$/);
  assert.match(findings({ fromDays: -60, untilDays: 9 })[1] ?? '', /^warning .* 8 more days$/);
  assert.match(findings({ untilDays: 5 })[1] ?? '', /^ok /, 'of six days two thirds are left');
  assert.match(findings({ untilDays: -0.5 })[1] ?? '', /^failure .* has expired on/);
  assert.match(findings({ fromDays: 1 })[1] ?? '', /^failure .* is valid only from/);
  assert.match(findings({}, 'https://else.example')[2] ?? '', /^warning .* not for else\.example, the host of ISSUER$/);
  writeFileSync(join(folder, 'tls.key'), other.key);
  const config = readConfig({}, undefined, {
    TLS_CERT_FILE: join(folder, 'tls.crt'),
    TLS_KEY_FILE: join(folder, 'tls.key'),
  });
  assert.deepEqual(
    checkCertificate(config, Date.now()).map(({ level }) => level),
    ['failure'],
  );
  assert.deepEqual(checkCertificate(readConfig({}, undefined, {}), Date.now()), []);
});
