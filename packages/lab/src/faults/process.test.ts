import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { treeOf } from '../containment/process-tree.ts';
import { kill } from './kill.ts';
import { pause } from './pause.ts';
import { ProcessUnderFault } from './process-under-fault.ts';
import { resume } from './resume.ts';

const until = async (isSo: () => boolean): Promise<void> => {
  for (const deadline = performance.now() + 5000; !isSo(); await sleep(5))
    assert.ok(performance.now() < deadline, 'not within 5 s');
};

/** A parent and its child; both say every 10 ms that they run. */
const startFamily = async (t: TestContext) => {
  const script = `
    const { spawn } = require('node:child_process');
    const say = (who) => \`setInterval(() => process.stdout.write('\${who}'), 10)\`;
    spawn(process.execPath, ['--eval', say('c')], { stdio: 'inherit' });
    eval(say('p'));`;
  const parent: ChildProcess = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  parent.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const pid = parent.pid ?? 0;
  await until(() => said.includes('p') && said.includes('c'));
  const family = treeOf(pid).map((member) => member.pid);
  t.after(() => {
    for (const member of family)
      try {
        process.kill(member, 'SIGKILL');
      } catch {
        // It has ended.
      }
  });
  /** Who speaks within 150 ms. */
  const speaking = async (): Promise<string> => {
    await sleep(50);
    said = '';
    await sleep(150);
    return [...new Set(said)].sort().join('');
  };
  return { pid, family, speaking };
};

test('pause stops a process with its children, resume lets both go on', async (t) => {
  const { pid, family, speaking } = await startFamily(t);
  assert.equal(family.length, 2);
  const subject = new ProcessUnderFault({ pid, isSingle: false });
  pause.parse(undefined)?.(subject);
  assert.equal(await speaking(), '');
  resume.parse(undefined)?.(subject);
  assert.equal(await speaking(), 'cp');
  pause.parse(undefined)?.(subject);
  subject.undo();
  assert.equal(await speaking(), 'cp');
});

test('a single process is paused without its children', async (t) => {
  const { pid, speaking } = await startFamily(t);
  const subject = new ProcessUnderFault({ pid, isSingle: true });
  pause.parse(undefined)?.(subject);
  assert.equal(await speaking(), 'c');
  subject.undo();
  assert.equal(await speaking(), 'cp');
});

test('kill ends a process with its children, paused ones too; then there is nothing to do faults to', async (t) => {
  const { pid, family } = await startFamily(t);
  const subject = new ProcessUnderFault({ pid, isSingle: false });
  pause.parse(undefined)?.(subject);
  kill.parse(undefined)?.(subject);
  await until(() => family.every((member) => treeOf(member).length === 0));
  assert.throws(() => kill.parse(undefined)?.(subject), { message: `process ${pid} does not run` });
  subject.undo();
});

test('a file that holds the id is read at each fault', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'catalytic-faults-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pid');
  const subject = new ProcessUnderFault({ pid: file, isSingle: false });
  for (const { pid } of [await startFamily(t), await startFamily(t)]) {
    writeFileSync(file, `${pid}\nmore\n`);
    assert.equal(subject.find(), pid);
  }
  for (const wrong of ['', '0', '-1', '1', String(process.pid)]) {
    writeFileSync(file, wrong);
    assert.throws(() => subject.find(), /holds no process id|the lab itself/);
  }
});
