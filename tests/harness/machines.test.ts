/**
 * The machines of the tests themselves: what a cut does to them, and that nothing of them is left.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { listProcesses } from '@catalytic/lab/process-tree';
import { listLinks, listNamespaces } from './machines/ip.ts';
import { type Machine, machinesIn, needsMachines } from './machines.ts';
import { startOwner } from './owner.ts';
import { folderIn, startService } from './service.ts';
import { waitUntil } from './wait-until.ts';

const answerMsMax = 10_000;

/** Long enough for a packet to arrive that nothing holds. */
const quietMs = 250;

/** In a machine: a cluster whose worker answers its host's name, its parent and what is sent to it, and prints that too. */
const echo = `
  const cluster = require('node:cluster');
  const { hostname } = require('node:os');
  if (cluster.isPrimary) cluster.fork();
  else require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.write(hostname() + ' ' + process.ppid + '\\n');
    socket.on('data', (chunk) => { process.stdout.write(chunk); socket.write(chunk); });
  }).listen(7000, '0.0.0.0');`;

/** Both sides of a connection from the hub to an echo in the machine. */
const talk = async (t: TestContext, machine: Machine) => {
  // A cluster's workers run the file that the primary was started with.
  const file = join(folderIn(t), 'echo.cjs');
  writeFileSync(file, echo);
  const child = machine.run(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const seen = { byHub: '', byMachine: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    seen.byMachine += chunk.toString();
  });
  const open: Socket[] = [];
  t.after(() => open.forEach((socket) => void socket.destroy()));
  const greeted = async (): Promise<boolean> => {
    if (seen.byHub !== '') return true;
    open.at(-1)?.destroy();
    const socket = connect({ host: machine.address, port: 7000, noDelay: true });
    open.push(socket);
    // While it starts the connection is refused.
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      seen.byHub += chunk.toString();
    });
    await delay(100);
    return seen.byHub !== '';
  };
  await waitUntil('The machine', 'answer', answerMsMax, greeted);
  const greeting = seen.byHub.trim();
  seen.byHub = '';
  return { pid: child.pid, greeting, seen, say: (text: string): void => void open.at(-1)?.write(text) };
};

const namesOf = (): readonly string[] => [...listLinks().map(({ ifname }) => ifname), ...listNamespaces()];
const isRunning = (pid: number | undefined): boolean => listProcesses().some((other) => other.pid === pid);

suite('machines for tests', { ...needsMachines(), timeout: 60_000 }, () => {
  test('have their own name and address, lose what is cut in one direction or both, and deliver it when healed', async (t) => {
    const { gateway, machines, close } = await machinesIn(t, 2);
    const talks = await Promise.all(machines.map((machine) => talk(t, machine)));
    const [first, second] = talks;
    const [machine, other] = machines;
    assert.ok(first && second && machine && other);
    assert.deepEqual(
      talks.map(({ greeting }) => greeting),
      [`${machine.name} ${first.pid}`, `${other.name} ${second.pid}`],
    );
    assert.ok(![machine.name, other.name].includes(hostname()));
    assert.match(gateway, /^10\.77\.\d+\.1$/);
    assert.notEqual(machine.address, other.address);

    machine.cut('out');
    first.say('a');
    await waitUntil('The machine', 'hear', answerMsMax, () => first.seen.byMachine === 'a');
    await delay(quietMs);
    assert.equal(first.seen.byHub, '', 'what leaves is lost');
    machine.heal();
    await waitUntil('The hub', 'hear', answerMsMax, () => first.seen.byHub === 'a');

    machine.cut('in');
    first.say('b');
    await delay(quietMs);
    assert.deepEqual(first.seen, { byHub: 'a', byMachine: 'a' }, 'what arrives is lost');
    machine.heal();
    await waitUntil('The hub', 'hear', answerMsMax, () => first.seen.byHub === 'ab');

    machine.cut();
    first.say('c');
    second.say('x');
    await waitUntil('The hub', 'hear the other machine', answerMsMax, () => second.seen.byHub === 'x');
    await delay(quietMs);
    assert.deepEqual(first.seen, { byHub: 'ab', byMachine: 'ab' });
    machine.heal();
    await waitUntil('The hub', 'hear', answerMsMax, () => first.seen.byHub === 'abc');

    await close();
    assert.ok(!isRunning(first.pid) && !isRunning(second.pid));
    assert.deepEqual(
      namesOf().filter((name) => name.startsWith(machine.name.replace(/\d$/, ''))),
      [],
    );
  });

  test('run the service, whose process id is its own', async (t) => {
    const { machines } = await machinesIn(t, 1);
    const service = await startService(folderIn(t), {}, machines[0]?.prefixCommand);
    await assert.rejects(fetch(`${service.url}/health/live`), "its loopback is the machine's, not ours");
    assert.match(readFileSync(`/proc/${service.process.pid}/cmdline`, 'utf8'), /main\.ts\0serve/);
    assert.equal(await service.end(), 0);
  });

  test('are gone, with what runs in them, when the process that made them is killed', async (t) => {
    const owner = await startOwner(
      t,
      'machines.ts',
      `const { machines } = await harness.createMachines(2);
       machines[0].cut();
       const child = machines[0].run('sleep', ['60'], { detached: true });
       console.log(JSON.stringify([child.pid, ...machines.map(({ name }) => name)]))`,
    );
    const [pid, ...names] = owner.said as [number, ...string[]];
    assert.ok(names.length === 2 && names.every((name) => namesOf().filter((known) => known === name).length === 2));
    assert.ok(isRunning(pid));
    owner.kill();
    const hub = names[0]?.replace(/-1$/, '') ?? '';
    const isGone = (): boolean =>
      !isRunning(pid) && !namesOf().some((name) => name === hub || name.startsWith(`${hub}-`));
    await waitUntil('The machines', 'go', answerMsMax, isGone);
  });
});
