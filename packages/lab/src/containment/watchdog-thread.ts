/**
 * Watches the main thread from another one: code that never gives way, such as an endless loop in a
 * task, stops everything else there, the end of the run and the undoing of its faults included.
 * @module
 */
import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import { fileOf, isOfScenario } from './describe-fault.ts';
import { type Bequest, execute } from './last-will.ts';
import { killTree, treeOf } from './process-tree.ts';
import { type Blocked, blockedSecondsMax, lookMs, shared } from './watchdog.ts';

/**
 * Time that the main thread has to go on after each attempt to free it, milliseconds, and the
 * number of attempts: the next task may be in the same loop.
 */
const attemptMs = 3000;
const attemptsMax = 5;

const seen = workerData as Int32Array;
let will: readonly Bequest[] = [];
parentPort?.on('message', (message: readonly Bequest[]) => {
  will = message;
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const tick = (): number => Atomics.load(seen, shared.ticks);

/** Whether the main thread turns again within a time. */
const goesOn = async (ms: number): Promise<boolean> => {
  const before = tick();
  for (let waited = 0; waited < ms; waited += lookMs) {
    await sleep(lookMs);
    if (tick() !== before) return true;
  }
  return false;
};

interface Paused {
  readonly callFrames: readonly {
    readonly url: string;
    readonly location: { readonly scriptId: string; readonly lineNumber: number };
  }[];
}

/**
 * Halts the main thread, notes where it is, and ends the code that runs there: its promises stay
 * open for ever.
 */
const interrupt = async (): Promise<'goes on' | 'was reached' | 'not reached'> => {
  const session = new Session();
  let isReached = false;
  const urls = new Map<string, string>();
  session.connectToMainThread();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.on('Debugger.paused', ({ params }) => {
    isReached = true;
    const { callFrames } = params as Paused;
    const places = callFrames.map(({ url, location: { scriptId, lineNumber } }) => ({
      url: url || (urls.get(scriptId) ?? ''),
      line: lineNumber + 1,
    }));
    const found = places.find(({ url }) => isOfScenario(url));
    const blocked: Blocked = { place: found === undefined ? '' : `${fileOf(found.url)}:${found.line}` };
    Atomics.store(seen, shared.blocked, 1);
    parentPort?.postMessage(blocked);
    session.post('Debugger.disable');
    session.post('Runtime.terminateExecution');
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
  const isFree = await goesOn(attemptMs);
  session.disconnect();
  if (isFree) return 'goes on';
  return isReached ? 'was reached' : 'not reached';
};

/** Ends processes for which the main thread may be waiting, such as the child of an execSync. */
const endChildren = (): void => {
  const known = new Set(will.map(([pid]) => Math.abs(pid)));
  for (const { pid, parent } of treeOf(process.pid)) if (parent === process.pid && !known.has(pid)) killTree(pid);
};

const giveUp = (): void => {
  writeSync(
    2,
    `catalytic-lab: Cannot go on: code of the scenario has blocked process ${process.pid} for over ${blockedSecondsMax} s and cannot be interrupted; faults are undone, what was measured is lost\n`,
  );
  execute(will);
  process.kill(process.pid, 'SIGKILL');
};

parentPort?.postMessage('started');

for (;;) {
  // One that sleeps with its whole process, or that has no processor for a while, is not looked at
  // meanwhile either.
  if (await goesOn(blockedSecondsMax * 1000)) {
    await sleep(lookMs);
    continue;
  }
  let end = await interrupt();
  for (let attempts = 1; end === 'was reached' && attempts < attemptsMax; attempts++) end = await interrupt();
  if (end === 'goes on') continue;
  endChildren();
  if (!(await goesOn(attemptMs))) giveUp();
}
