import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact, redactWords, secretsIn, secretsOfWords } from './redact.ts';

test('secrets of URLs, options, variables and commands are replaced', () => {
  const texts = [
    'http://bob:SECRET-1@127.0.0.1/metrics?token=SECRET-2&x=SECRET-3',
    "option '--metrics <url>' argument 'bob:SECRET-1@host' is invalid",
    'htp:/bob:SECRET-1@host',
    'redis-cli -h cache -a SECRET-1 flushall',
    "redis-cli -a 'SECRET-1 with words' flushall",
    'PGPASSWORD=SECRET-1 REDISCLI_AUTH=SECRET-2 psql -h database',
    'DATABASE_URL=postgres://app:SECRET-1@database/app npm start',
    "curl -u bob:SECRET-1 -H 'Authorization: Bearer SECRET-2' http://target",
    'npm start --password SECRET-1 --client-secret=SECRET-2',
    '{"password":"SECRET-1","api_key": "SECRET-2"}',
    'sshpass -p SECRET-1 ssh host && mysql -pSECRET-2 app',
    '?access_token=SECRET-1',
  ];
  for (const text of texts) assert.doesNotMatch(redact(text), /SECRET/, redact(text));
});

test('what is no secret stays as it is', () => {
  for (const text of [
    'npm run lab -- run auth --target http://127.0.0.1:8000 --admin-key-file data/lab.key --p95 200',
    'ended with exit code 1: authentication of user@host failed',
    'redis-server --port 6379 --pidfile redis.pid',
    'the keys and tokens of authors: none',
  ])
    assert.equal(redact(text), text);
});

test('a secret of a command is found again in what the command says', () => {
  const secrets = secretsIn('redis-cli -a hunter22 flushall');
  assert.equal(redact('WRONGPASS hunter22 is wrong', secrets), 'WRONGPASS REDACTED is wrong');
  assert.deepEqual(
    secretsIn('DATABASE_URL=postgres://app:p-word@db/app'),
    ['app:p-word', 'p-word', 'postgres://app:p-word@db/app'].slice(0, 2),
  );
});

test('a command line is told without what its secret options were given', () => {
  const words = ['auth', '--password', 'abc def ghi jkl', '--admin-key', 'cak_1', '--metrics=http://a:bcde@c/'];
  assert.deepEqual(redactWords(words), [
    'auth',
    '--password',
    'REDACTED',
    '--admin-key',
    'REDACTED',
    '--metrics=http://REDACTED@c/',
  ]);
  assert.deepEqual(secretsOfWords(words), ['abc def ghi jkl', 'cak_1', 'a:bcde', 'bcde']);
});
