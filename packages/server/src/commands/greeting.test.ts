import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../config/read-config.ts';
import { greeting } from './greeting.ts';

const url = 'http://127.0.0.1:8000';
const proxied = { HOST: '0.0.0.0', TRUSTED_PROXIES: '10.0.0.1', ISSUER: 'https://id.example.com' };

test('names the page of the API where it is served, and the load lab only where somebody asked for it', () => {
  const text = greeting(readConfig({}, undefined, {}), { url, operateUrl: url });
  assert.match(text, /^ {2}Catalytic serves on http:\/\/127\.0\.0\.1:8000$/m);
  assert.match(text, /http:\/\/127\.0\.0\.1:8000\/docs$/m);
  assert.doesNotMatch(text, /\blab\b/);
  const guide = /docs\/guides\/\S+\.md$/m.exec(text)?.[0] ?? '';
  assert.ok(existsSync(fileURLToPath(new URL(`../../../../${guide}`, import.meta.url))), guide);
  const withoutDocs = greeting(readConfig({}, undefined, { DOCS: '0' }), { url, operateUrl: url });
  assert.doesNotMatch(withoutDocs, /\/docs$/m);
});

test('says that one listener for everything is for development, and names the listener of operators where there is one', () => {
  const shared = greeting(readConfig({}, undefined, {}), { url, operateUrl: url });
  assert.match(shared, /^ {2}for development .*\/metrics and \/admin answer here too: set ISSUER/m);
  const config = readConfig({}, undefined, { ISSUER: 'https://id.example.com' });
  const apart = greeting(config, { url, operateUrl: 'http://127.0.0.1:9000' });
  assert.match(apart, /^ {2}for operators +http:\/\/127\.0\.0\.1:9000$/m);
  assert.doesNotMatch(apart, /development/);
});

test('the command for the load lab works as it is printed: with the key and the listener that it needs', () => {
  const config = readConfig({}, undefined, {});
  const usual = greeting(config, { url, operateUrl: url, labKeyPath: 'data/lab.key' });
  assert.match(usual, /^ {4}npm run lab -- run auth --users 50 --target http:\/\/127\.0\.0\.1:8000$/m);
  const elsewhere = greeting(config, { url, operateUrl: 'http://127.0.0.1:9000', labKeyPath: 'other/lab.key' });
  assert.ok(
    elsewhere.includes(`--operate-target http://127.0.0.1:9000 --admin-key-file ${resolve('other/lab.key')}\n`),
    elsewhere,
  );
});

test('a service on every address of the machine names one that can be asked', () => {
  const serves = (environment: NodeJS.Dict<string>, at: string): string =>
    greeting(readConfig({}, undefined, environment), { url: at, operateUrl: 'http://127.0.0.1:9000' });
  const plain = serves(proxied, 'http://0.0.0.0:8000');
  assert.match(plain, /^ {2}Catalytic serves on http:\/\/0\.0\.0\.0:8000$/m);
  assert.match(plain, /curl -s http:\/\/127\.0\.0\.1:8000\/auth\/register/);
  assert.match(serves({ ...proxied, HOST: '::' }, 'http://[::]:8000'), /curl -s http:\/\/\[::1\]:8000\//);
  const files = { TLS_CERT_FILE: 'cert.pem', TLS_KEY_FILE: 'key.pem' };
  assert.match(serves({ ...proxied, ...files }, 'https://0.0.0.0:8443'), /curl -s https:\/\/id\.example\.com\/auth\//);
});

test('a service on PostgreSQL says so, with the number of its workers', () => {
  const of = (workers: string): string =>
    greeting(readConfig({}, undefined, { DATABASE_URL: 'postgres://user@localhost/database', WORKERS: workers }), {
      url,
      operateUrl: url,
    });
  assert.match(of('1'), /PostgreSQL, 1 worker$/m);
  assert.match(of('4'), /PostgreSQL, 4 workers$/m);
});
