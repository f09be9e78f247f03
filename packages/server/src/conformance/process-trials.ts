/**
 * Trials that pause and end the process of the API.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { askMsMax, type Trial, type TrialCase, within } from './trial.ts';

/** Longest time for the process to leave, and to end after that, milliseconds. */
const stopMsMax = 10_000;

/**
 * The lease before the pause, milliseconds, and how soon polls are answered meanwhile: it ends before
 * the process gives up the poll that was held when it was paused.
 */
const [shortLeaseMs, answerMs] = [300, 50];

const pause = async (trial: Trial): Promise<void> => {
  const { service, api } = trial.parts;
  const longEndMs = service.leaseEndMs;
  service.play((held) => void setTimeout(() => service.grant(held, { lease_ms: shortLeaseMs }), answerMs));
  await delay(Math.max(0, longEndMs - performance.now()));
  service.play(() => {});
  await within(askMsMax, () => service.lastPoll?.isOpen === true && service.isCounted(service.lastPoll));
  const poll = service.lastPoll;
  api.signal('SIGSTOP');
  await delay(20);
  // The answer waits in a buffer of the paused process.
  if (poll !== undefined) service.grant(poll, { lease_ms: shortLeaseMs });
  const endMs = service.leaseEndMs;
  await delay(Math.max(0, endMs + 50 - performance.now()));
  const asked = trial.ask(trial.mint());
  await delay(50);
  api.signal('SIGCONT');
  const after = await trial.series(endMs, performance.now() + 250);
  const expected = 'paused for longer than the lease: nothing is accepted by an answer from before';
  trial.expectNone('pause-outlives-no-lease', [await asked, ...after], expected, endMs);
};

const stop = async (trial: Trial): Promise<void> => {
  const { service, api, isStrict, leaseMs } = trial.parts;
  const id = service.lastPoll?.body.guard;
  service.play(() => {});
  service.onLeave = async () => {
    const leftMs = performance.now();
    for (const poll of service.polls) poll.answer(200, service.pageFor(poll, { lease_ms: leaseMs }));
    const asked = await trial.series(leftMs, leftMs + 250);
    trial.expectNone('left-on-stop', asked, 'nothing is accepted once DELETE has arrived', leftMs);
  };
  api.signal('SIGTERM');
  if (isStrict) {
    const isLeft = await within(stopMsMax, () => service.left.some((left) => left.id === id));
    const expected = `DELETE of its id within ${stopMsMax / 1000} s after SIGTERM`;
    trial.judge('left-on-stop', isLeft, expected, api.isRunning ? 'none' : 'none, and the process has ended');
  }
  const isEnded = await api.ended(stopMsMax);
  const expected = `the process ends within ${stopMsMax / 1000} s`;
  trial.judge('left-on-stop', isEnded, expected, 'it still runs');
  service.onLeave = () => Promise.resolve();
};

/** The trial of a pause. */
export const pauseTrial: TrialCase = { rules: ['pause-outlives-no-lease'], needsProcess: true, run: pause };

/** The trial of a stop: the last one. */
export const stopTrial: TrialCase = { rules: ['left-on-stop'], needsProcess: true, run: stop };
