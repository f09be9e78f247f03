/**
 * From what was gathered to the validity certificate.
 * @module
 */
import { judgeValidity, type LittleCheck } from '../measures/validity.ts';
import type { ValidityCheck } from '../results/verdict.ts';
import type { WindowResult } from '../results/window-result.ts';
import { isOfGenerator } from '../targets/failures.ts';
import type { Gathered, Reading } from './gathered.ts';

/**
 * Shortest steady window, and fewest tasks in it, over which Little's law is asked to hold: chance
 * alone stays within 5 % then.
 */
const littleSecondsMin = 20;
const littleTasksMin = 400;
/** CPU time the lab has used, seconds. */
export const cpuSecondsOf = ({ before, after }: Gathered): number =>
  (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1e6;

/**
 * CPU time of the lab, the target and the processes counted with it until a reading, seconds;
 * `undefined` when one of them is unknown.
 */
const ownCpuSeconds = ({ cpu, target, counted }: Reading, isTargetRemote: boolean): number | undefined => {
  if ((target === undefined && !isTargetRemote) || counted.includes(undefined)) return undefined;
  const others = [target, ...counted].reduce((sum, usage) => sum + (usage?.cpuSeconds ?? 0), 0);
  return (cpu.user + cpu.system) / 1e6 + others;
};

/** CPU time that neither lab nor target has spent, steal included, per cent of the machine. */
const foreignCpuPercent = (from: Reading, to: Reading, isTargetRemote: boolean, cores: number): number | undefined => {
  const own = [ownCpuSeconds(from, isTargetRemote), ownCpuSeconds(to, isTargetRemote)] as const;
  if (from.machine === undefined || to.machine === undefined) return undefined;
  if (own[0] === undefined || own[1] === undefined) return undefined;
  const spent = to.machine.busy + to.machine.steal - from.machine.busy - from.machine.steal;
  const elapsed = (to.atMs - from.atMs) / 1000;
  return (Math.max(0, spent - (own[1] - own[0])) / (elapsed * cores)) * 100;
};

/**
 * Little's law over the steady window; `undefined` in the open model, and when there is no window
 * or it is too short to tell.
 */
export const checkLittle = (gathered: Gathered, window: WindowResult | null): LittleCheck | undefined => {
  const { crowd, steady } = gathered;
  // Where starts are intended, tasks come at their own pace: the law holds and tells nothing.
  if (window === null || steady === undefined || crowd.droppedStarts !== undefined) return undefined;
  const tasks = crowd.tasks - steady.tasks;
  const seconds = window.to_s - window.from_s;
  if (seconds < littleSecondsMin || tasks < littleTasksMin) return undefined;
  const users = (crowd.userMs - steady.userMs) / 1000 / seconds;
  // Lost with their generator, all of them may be.
  if (users <= 0) return undefined;
  return {
    users,
    tasksPerSecond: tasks / seconds,
    responseSeconds: (crowd.taskMs - steady.taskMs) / 1000 / tasks,
    waitSeconds: (crowd.waitMs - steady.waitMs) / 1000 / tasks,
  };
};

/**
 * Judges the conditions of the judged window.
 * @param requests requests in it
 * @param cores of this machine
 */
export const judgeConditions = (
  gathered: Gathered,
  judged: 'steady' | 'whole',
  requests: number,
  cores: number,
  little: LittleCheck | undefined,
): readonly ValidityCheck[] => {
  const { options, crowd, steady, seconds, before, after, stoppedAtMs } = gathered;
  const { health } = crowd;
  const from = judged === 'steady' ? steady : undefined;
  // A whole run with a steady window in it was read in two parts.
  const warmUp = from === undefined ? steady?.warmUp : undefined;
  const ranSeconds = (stoppedAtMs - before.atMs) / 1000;
  return judgeValidity({
    // A run that was aborted as it was told to is the one that was asked for.
    leftOutPercent:
      gathered.abortedBy === undefined ? Math.max(0, (1 - ranSeconds / options.durationSeconds) * 100) : 0,
    isInterrupted: gathered.isInterrupted,
    failedFaults: gathered.faults.filter(({ error }) => error !== undefined).length,
    changes: gathered.changes,
    exceptions: crowd.exceptions.reduce((sum, { count }) => sum + count, 0),
    unsent: gathered.recorder.errors.all
      .filter(({ error }) => isOfGenerator(error))
      .reduce((sum, { occurrences }) => sum + occurrences, 0),
    requests,
    generatorCpuPercents: seconds
      .slice(from?.second ?? 0)
      .filter((second) => second.is_after_end !== true)
      .map((second) => second.generator_cpu_percent),
    loopDelayP99Ms: Math.max(health.loopDelayP99Ms, warmUp?.loopDelayP99Ms ?? 0),
    loopBusyPercent: Math.max(health.loopBusyPercent, warmUp?.loopBusyPercent ?? 0),
    tasks: crowd.tasks - (from?.tasks ?? 0),
    lateStarts: crowd.lateStarts - (from?.lateStarts ?? 0),
    droppedStarts: crowd.droppedStarts,
    foreignCpuPercent: foreignCpuPercent(from?.reading ?? before, after, gathered.isTargetRemote, cores),
    little,
  });
};
