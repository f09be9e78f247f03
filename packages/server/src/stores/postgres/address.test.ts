import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAddress } from './address.ts';

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ['one host stays as it is', 'postgres://u:p@one/db', ['postgres://u:p@one/db']],
  [
    'hosts with and without a port',
    'postgres://u:p%40x@one:5433,two,[::1]:5434/db?x=1',
    ['postgres://u:p%40x@one:5433/db?x=1', 'postgres://u:p%40x@two/db?x=1', 'postgres://u:p%40x@[::1]:5434/db?x=1'],
  ],
  ['a password with a comma', 'postgres://u:a,b@one/db', ['postgres://u:a,b@one/db']],
  [
    'hosts as parameters, one port for all',
    'postgresql://u@/db?host=one,two&port=5433',
    ['postgresql://u@localhost/db?host=one&port=5433', 'postgresql://u@localhost/db?host=two&port=5433'],
  ],
  [
    'the primary is asked for anyway, and names of connections are ours',
    'postgres://one,two/db?target_session_attrs=read-write&application_name=x',
    ['postgres://one/db', 'postgres://two/db'],
  ],
  [
    'a mode that the library would warn of',
    'postgres://one/db?sslmode=require',
    ['postgres://one/db?sslmode=verify-full'],
  ],
  ['no check, as it was asked for', 'postgres://one/db?sslmode=no-verify', ['postgres://one/db?sslmode=no-verify']],
];
for (const [name, text, urls] of cases) test(name, () => assert.deepEqual(readAddress(text).urls, urls));

test('what would be ignored is refused, without the password', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['postgres://u:secret@one/db?sslmode=requre', /sslmode=requre/],
    ['postgres://u:secret@one/db?target_session_attrs=standby', /target_session_attrs=standby/],
    ['postgres://u:secret@one:5432x,two/db', /list of hosts/],
  ];
  for (const [text, message] of wrong)
    assert.throws(
      () => readAddress(text),
      (error: Error) => message.test(error.message) && !error.message.includes('secret'),
    );
});
