import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostileText, labResult } from '../../../../tests/harness/lab-result.ts';
import type { RunResult } from '../results/result.ts';
import { junitReport } from './junit.ts';

const attributes = String.raw`(?: [a-z]+="(?:[^<>&"\t\n\r]|&(?:amp|lt|gt|quot);)*")*`;
const element = new RegExp(String.raw`\s*<(/?)([a-z]+)${attributes}(/?)>\s*`, 'y');

/** The elements of a report, read as strictly as XML 1.0 asks. @throws when it is not well-formed */
const read = (xml: string): readonly string[] => {
  assert.doesNotMatch(xml, /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
  assert.ok(xml.startsWith(head));
  const open: string[] = [];
  const seen: string[] = [];
  element.lastIndex = head.length;
  while (element.lastIndex < xml.length) {
    const at = element.lastIndex;
    const [whole = '', isEnd, name = '', isEmpty] = element.exec(xml) ?? assert.fail(xml.slice(at, at + 200));
    seen.push(whole.trim());
    if (isEnd === '/') assert.equal(open.pop(), name);
    else if (isEmpty === '') open.push(name);
  }
  assert.deepEqual(open, []);
  return seen;
};

const report = (changes: Partial<RunResult>): string => {
  const xml = junitReport(labResult(60, changes));
  read(xml);
  return xml;
};

test('each criterion, each rule and consistency is a case, and what was not judged is skipped with its reason', () => {
  const { verdicts } = labResult();
  const xml = report({
    exit_code: 2,
    verdicts: [
      ...verdicts,
      { criterion: 'p95, ms', limit: 50, measured: 81.5, verdict: 'failed' },
      { criterion: 'rare', limit: 1, measured: null, verdict: 'not judged', reason: '3 samples, 200 are needed' },
    ],
  });
  assert.match(
    xml,
    /<testsuite name="catalytic-lab\.auth" tests="8" failures="1" errors="0" skipped="2" time="60\.000"/,
  );
  assert.match(xml, /name="p95, ms" time="0"><failure message="81\.50, at most 50 is allowed"\/>/);
  assert.match(xml, /name="rare" time="0"><skipped message="not judged: 3 samples, 200 are needed"\/>/);
  assert.match(xml, /classname="catalytic-lab\.auth\.consistency"/);
});

test('a run that may not be believed has errors, and neither passes nor fails its criteria', () => {
  const xml = report({
    exit_code: 3,
    validity: [{ rule: 'late starts, %', limit: 1, measured: 9, verdict: 'broken' }],
  });
  assert.match(xml, /failures="0" errors="1" skipped="4"/);
  assert.match(xml, /<error message="9\.00, at most 1 is allowed; share the load with --processes, [^"]+"\/>/);
  assert.match(report({ exit_code: 5 }), /name="the target answers" time="0"><error/);
  assert.match(report({ exit_code: 6, verdicts: [] }), /<skipped message="the run was asked to keep nothing/);
});

test('whatever a target says, the report is well-formed', () => {
  const criterion = `real failures of GET /${hostileText}\u0000\u001b[31m\ud800\ufffe]]>&#0;\r\n\t, %`;
  const xml = report({
    scenario: hostileText,
    verdicts: [
      { criterion, limit: 1, measured: 2, verdict: 'failed' },
      { criterion, limit: 1, measured: null, verdict: 'not judged', reason: criterion },
    ],
  });
  assert.ok(xml.includes('&lt;script&gt;'));
  assert.ok(xml.includes('/&quot;&gt;&lt;'));
});
