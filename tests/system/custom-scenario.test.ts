import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runLab } from '../harness/lab.ts';
import { folderIn, serviceIn } from '../harness/service.ts';

const guide = fileURLToPath(new URL('../../docs/guides/custom-scenario.md', import.meta.url));

/** The example, as the guide tells people to save it: in a folder where nothing is installed. */
const saveExample = (folder: string): string => {
  const [, example] = /## A complete example[\s\S]*?```ts\n([\s\S]*?)```/.exec(readFileSync(guide, 'utf8')) ?? [];
  const file = join(folder, 'profile.ts');
  writeFileSync(file, example ?? assert.fail('the guide has no example'));
  return file;
};

test("the guide's scenario runs against a service, in two processes, and all of its parts do something", async (context) => {
  const service = await serviceIn(context);
  const folder = folderIn(context);
  const out = join(folder, 'result');
  const args = [
    'run',
    saveExample(folder),
    '--target',
    service.url,
    '--admin-key-file',
    join(service.dataDir, 'lab.key'),
  ];
  const few = ['--users', '4', '--spawn-rate', '20', '--duration', '4s', '--processes', '2', '--out', out];
  const { code, output } = await runLab(folder, [...args, ...few]);
  // On a busy machine the run may be invalid; it can never be anything else.
  assert.ok(code === 0 || code === 3 || code === 6, output);
  assert.equal(output.match(/profile: 4 users against/g)?.length, 2, 'a hook of each process');
  assert.match(output, /profile: everybody is here/);
  assert.match(output, /profile: ended with [03]/);
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as {
    readonly scenario: string;
    readonly exceptions: readonly unknown[];
    readonly whole: { readonly total: { readonly real: number } };
    readonly consistency: { readonly violations: number };
    readonly own: {
      readonly checks: readonly { readonly name: string; readonly passed: number; readonly failed: number }[];
      readonly counters: Readonly<Record<string, number>>;
      readonly trends: readonly { readonly count: number }[];
    };
  };
  assert.equal(result.scenario, 'profile');
  assert.deepEqual(result.exceptions, []);
  assert.equal(result.whole.total.real, 0, output);
  assert.equal(result.consistency.violations, 0);
  const [markdown, page] = ['md', 'html'].map((ending) => readFileSync(`${out}.${ending}`, 'utf8'));
  for (const { name, passed, failed } of result.own.checks) {
    assert.ok(markdown?.includes(`| ${name} | ${passed} | 0 | held |`), `${name} is missing from the Markdown report`);
    assert.ok(page?.includes(`<th scope="row">${name}</th><td>${passed}</td>`), `${name} is missing from the page`);
    assert.equal(failed, 0, name);
    assert.ok(passed > 0, `${name} never ran`);
  }
  assert.ok((result.own.counters['reads'] ?? 0) > 0);
  assert.equal(result.own.trends[0]?.count, result.own.counters['reads']);
});
