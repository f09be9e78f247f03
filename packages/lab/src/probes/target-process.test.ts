import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { findListener, TargetProcesses, type TargetUsage } from './target-process.ts';

/** Reads until the usage is as expected or ten seconds are over: on a busy machine processes take their time. */
const readUntil = async (
  processes: TargetProcesses,
  isExpected: (usage: TargetUsage) => boolean,
): Promise<TargetUsage> => {
  for (let tries = 0; ; tries++) {
    const usage = processes.read({ search: true });
    assert.ok(usage !== undefined, 'the root is there');
    if (isExpected(usage) || tries >= 200) return usage;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

// A listener with a child that works: the shape of a server with a helper process.
const program = `
  const { spawn } = require('node:child_process');
  const busy = 'while (process.cpuUsage().user < 800_000); setInterval(() => {}, 1000)';
  const child = spawn(process.execPath, ['-e', busy], { stdio: 'ignore' });
  process.on('SIGTERM', () => { child.kill(); process.exit(); });
  const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

test('a listener is found by its port, and its children are counted', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async () => {
  const listener = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [port] = (await once(listener.stdout, 'data')) as [Buffer];
    assert.equal(findListener(Number(port.toString())), listener.pid);
    const processes = new TargetProcesses(listener.pid ?? 0);
    const first = processes.read({ search: true });
    assert.ok(first !== undefined);
    const second = await readUntil(
      processes,
      ({ cpuSeconds, rssMb }) => cpuSeconds - first.cpuSeconds >= 0.2 && rssMb > 40,
    );
    assert.ok(second.cpuSeconds - first.cpuSeconds >= 0.2, `${second.cpuSeconds - first.cpuSeconds} s`);
    assert.ok(second.rssMb > 40, `${second.rssMb} MB for two processes`);
  } finally {
    listener.kill();
    await once(listener, 'close');
  }
  assert.equal(new TargetProcesses(listener.pid ?? 0).read(), undefined);
});

// A supervisor that, when told, kills its worker, whose own child works on as an orphan, and starts another that works and ends.
const work = 'const until = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < until);';
const orphan = `setTimeout(() => { ${work} }, 500); setTimeout(() => process.exit(), 4000);`;
const worker = `
  require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(orphan)}], { stdio: 'ignore' })
    .on('spawn', () => console.log('up'));
  setInterval(() => {}, 1000);
`;
const supervisor = `
  const { spawn } = require('node:child_process');
  const start = (code) => spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
  const first = start(${JSON.stringify(worker)});
  first.stdout.once('data', () => console.log('ready'));
  process.stdin.once('data', () => { first.kill('SIGKILL'); start(${JSON.stringify(work)}); });
`;

test('what members have used stays in the sum when they end, also that of orphans', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async () => {
  const root = spawn(process.execPath, ['-e', supervisor], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(root.stdout, 'data');
    const processes = new TargetProcesses(root.pid ?? 0);
    const first = processes.read({ search: true });
    root.stdin.write('go');
    assert.ok(first !== undefined);
    const second = await readUntil(processes, ({ cpuSeconds }) => cpuSeconds - first.cpuSeconds >= 0.55);
    // Two processes at least: the supervisor and the orphan.
    const third = await readUntil(processes, ({ rssMb }) => rssMb < 0.75 * second.rssMb);
    assert.ok(second.cpuSeconds - first.cpuSeconds >= 0.55, `${second.cpuSeconds - first.cpuSeconds} s of two workers`);
    assert.ok(third.cpuSeconds >= second.cpuSeconds, 'an orphan that ends takes nothing away');
    assert.ok(third.rssMb < second.rssMb, 'memory is that of the living');
  } finally {
    root.kill();
    await once(root, 'close');
  }
});

test('a port nobody listens on has no process', () => {
  assert.equal(findListener(1), undefined);
});
