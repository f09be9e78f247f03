/**
 * The vectors that are published: our own guard passes them, and they are those of this version.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SignatureChecks } from '@catalytic/guard/signature-checks';
import { claimRefusal } from '@catalytic/guard/verdict';
import { importKey } from '@catalytic/guard/verification-key';
import { ruleNames } from '../../packages/server/src/conformance/rules.ts';
import { root } from './guard-conformance.ts';
import { makeVectors, type Vectors, vectorsFile } from './vectors.ts';

const vectors = JSON.parse(readFileSync(vectorsFile, 'utf8')) as Vectors;
const current = await makeVectors();
const refresh = 'run "npm run guard-vectors", and read what has changed: guards of other languages rely on it';

test('the page of the protocol names every rule that is tried', () => {
  const page = readFileSync(join(root, 'docs/reference/guard-protocol.md'), 'utf8');
  assert.deepEqual(
    ruleNames.filter((name) => !page.includes(`\`${name}\``)),
    [],
  );
});

test('our guard gives every token of the vectors its verdict', () => {
  const { issuer, audience, now, keys, cases } = vectors.tokens;
  const byHeader = new Map(keys.map(importKey).map((key) => [key?.header, key]));
  const checks = new SignatureChecks((header) => byHeader.get(header));
  const verdicts = cases.map(({ name, token }) => {
    const signed = checks.check(token);
    const code = typeof signed === 'string' ? signed : claimRefusal(signed.claims, { issuer, audience }, now);
    return [name, code ?? 'accepted'];
  });
  assert.deepEqual(
    verdicts,
    cases.map(({ name, verdict }) => [name, verdict]),
  );
});

test('the vectors hold every case of this version', () => {
  const told = ({ tokens: { cases } }: Vectors) => cases.map(({ name, verdict }) => [name, verdict]);
  assert.deepEqual(told(vectors), told(current), refresh);
});

test('our guard does with every answer and entry what the vectors say', () => {
  assert.deepEqual([vectors.polls, vectors.views], [current.polls, current.views], refresh);
});
