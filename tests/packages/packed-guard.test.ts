import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderIn } from '../harness/service.ts';
import {
  compileIn,
  expectedOfConsumer,
  expectedOfSidecar,
  installInto,
  packGuard,
  runIn,
  runWithNpx,
} from './packed-guard.ts';

test('the packed guard installs without a registry, compiles in a strict project, and guards', (t) => {
  const folder = folderIn(t);
  const tarball = packGuard(folder);
  const names = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(names.filter((name) => !/\.(js|d\.ts)$/.test(name)).sort(), [
    'package/LICENSE',
    'package/README.md',
    'package/package.json',
  ]);
  assert.ok(!names.some((name) => /test\.|contract/.test(name)), 'no test is in it');
  const project = join(folder, 'project');
  installInto(project, [tarball], true);
  const manifest = JSON.parse(readFileSync(join(project, 'node_modules/@catalytic/guard/package.json'), 'utf8')) as {
    readonly version: string;
  };
  assert.ok(!('dependencies' in manifest));
  compileIn(project, 'plain.mts', 'sidecar.mts');
  assert.deepEqual(runIn(project, 'plain.mts', process.execPath), expectedOfConsumer);
  assert.deepEqual(runIn(project, 'sidecar.mts', process.execPath), expectedOfSidecar);
  assert.equal(runWithNpx(project, ['--version']).trim(), manifest.version);
});
