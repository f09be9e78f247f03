import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { findListener, TargetProcesses } from './target-process.ts';

// A listener with a child that works: the shape of a server with a helper process.
const program = `
  const { spawn } = require('node:child_process');
  const busy = 'const end = Date.now() + 300; while (Date.now() < end); setInterval(() => {}, 1000)';
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
    await new Promise((resolve) => setTimeout(resolve, 600));
    const second = processes.read({ search: true });
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(second.cpuSeconds - first.cpuSeconds >= 0.2, `${second.cpuSeconds - first.cpuSeconds} s`);
    assert.ok(second.rssMb > 40, `${second.rssMb} MB for two processes`);
  } finally {
    listener.kill();
    await once(listener, 'close');
  }
  assert.equal(new TargetProcesses(listener.pid ?? 0).read(), undefined);
});

test('a port nobody listens on has no process', () => {
  assert.equal(findListener(1), undefined);
});
