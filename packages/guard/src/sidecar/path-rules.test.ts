import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathOf } from './original-path.ts';
import { readPathRules, requirementsOfPath } from './path-rules.ts';

const rolesFor = (rules: readonly string[], target: string): readonly string[] | undefined => {
  const path = pathOf(target);
  return path === undefined ? undefined : requirementsOfPath(readPathRules('strict', rules), path).role;
};

test('a rule is true for its path and everything below it, in any case and spelling, and for nothing else', () => {
  const rules = ['/admin role=admin'];
  for (const target of [
    '/admin',
    '/admin/',
    '/admin/x',
    '/ADMIN/x?y=/..',
    '/%61dmin',
    '/adm%49n/x',
    '/adm%C4%B1n',
    '/admin?',
    '/admin.json',
  ])
    assert.deepEqual(rolesFor(rules, target), ['admin'], target);
  for (const target of ['/', '/administrators', '/x/admin', '/x?/admin'])
    assert.deepEqual(rolesFor(rules, target), [], target);
});

test('of several rules each is true, and the path of a rule may be everything', () => {
  const rules = ['/a/b role=c', '/ role=all', '/a role=b scope=x', '/a role=d'];
  assert.deepEqual(rolesFor(rules, '/a/b/c'), ['all', 'b', 'd', 'c']);
  assert.deepEqual(rolesFor(rules, '/a'), ['all', 'b', 'd']);
  assert.deepEqual(rolesFor(rules, '/z'), ['all']);
  const [, rule] = readPathRules('strict', [
    '/ fresh=1m when-stale=ask',
    '/a fresh=1h when-stale=deny',
    '/a/b role=x%20%C3%A9',
  ]);
  assert.deepEqual(rule?.requirements, { role: [], scope: [], freshSignIn: 60_000, whenStale: 'deny' });
});

test('a path that servers could read in two ways is refused, whatever the rules', () => {
  const ambiguous = [
    ...['', 'admin', '*', 'http://host/admin', '//admin', '/x//admin', '/./admin', '/x/../admin', '/x/..', '/admin/.'],
    ...[
      '/%2e%2e/admin',
      '/.%2e/admin',
      '/x/%2E/admin',
      '/x%2fadmin',
      '/x%2Fadmin',
      '/x%5cadmin',
      '/x\\admin',
      '/admin;x=1',
    ],
    ...[
      '/x;/../admin',
      '/admin%3b',
      '/%2561dmin',
      '/x%252f',
      '/admin%00',
      '/admin%0a',
      '/admin%7f',
      '/admin%3fx',
      '/a#b',
    ],
    ...[
      '/admin%23',
      '/%c0%ae%c0%ae/admin',
      '/%ff',
      '/%zz',
      '/%',
      '/admin.',
      '/admin%20',
      '/admin./x',
      '/é',
      '/a b',
      '/a\tb',
    ],
  ];
  for (const target of ambiguous) assert.equal(pathOf(target), undefined, JSON.stringify(target));
  for (const target of [
    '/',
    '/notes/1',
    '/a.b/c',
    '/%C3%A9',
    '/100%25',
    '/a,b=c:d@e!f$g&h',
    '/.well-known/x',
    '/a%20b',
  ])
    assert.notEqual(pathOf(target), undefined, target);
});

test('whatever a client sends, the path has no separator, dot segment or escape that the rules have not seen', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '%2e',
    '%2F',
    '%',
    '25',
    '2e',
    'a',
    'A',
    ';',
    '\\',
    '%5C',
    '?',
    ' ',
    'é',
    '%C3%A9',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const path = pathOf(`/${pieces.join('')}`);
      if (path === undefined) return;
      assert.equal(new URL(path, 'http://host').pathname, encodeURI(path).replaceAll('%25', '%'), path);
      assert.doesNotMatch(path, /\/\/|;|\\|[A-Z]|%[0-9a-f]{2}/);
    }),
  );
});

test('a rule that is not understood is an error', () => {
  for (const rule of [
    ...[
      '/admin',
      'admin role=x',
      '/a//b role=x',
      '/a?b role=x',
      '/a rôle=x',
      '/a role',
      '/a role=',
      '/a =x',
      '/a role=%',
    ],
    ...['/a fresh=soon', '/a fresh=1m fresh=2m', '/a tenant=acme', '/a when-stale=allow', '/a when-stale=never', ''],
  ])
    assert.throws(() => readPathRules('strict', [rule]), TypeError, rule);
  const tenant = (digit: string): string => `tenant=01a2119f-24ed-72ac-911e-1ef07c74486${digit}`;
  assert.throws(() => readPathRules('strict', [`/ ${tenant('0')}`, `/a ${tenant('1')}`]), /two tenants/);
});
