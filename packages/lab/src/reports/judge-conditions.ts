/**
 * From what was gathered to the validity certificate.
 * @module
 */
import { judgeValidity, type LittleCheck, type ValidityCheck } from '../measures/validity.ts';
import type { Gathered } from './gathered.ts';
import type { WindowResult } from './result.ts';

/** Shortest steady window, and fewest requests in it, over which Little's law is asked to hold: chance alone stays within 5 % then. */
const littleSecondsMin = 20;
const littleRequestsMin = 400;
/** CPU time the lab has used, seconds. */
export const cpuSecondsOf = ({ before, after }: Gathered): number =>
  (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1e6;

/** CPU time that neither generator nor target has spent, steal included, per cent of the machine. */
const foreignCpuPercent = (gathered: Gathered, cores: number): number | undefined => {
  const { before, after, isTargetRemote } = gathered;
  if (before.machine === undefined || after.machine === undefined) return undefined;
  if (!isTargetRemote && (before.target === undefined || after.target === undefined)) return undefined;
  const target = (after.target?.cpuSeconds ?? 0) - (before.target?.cpuSeconds ?? 0);
  const busy = after.machine.busy - before.machine.busy;
  const steal = after.machine.steal - before.machine.steal;
  const elapsed = (after.atMs - before.atMs) / 1000;
  return (Math.max(0, busy - cpuSecondsOf(gathered) - target + steal) / (elapsed * cores)) * 100;
};

/** Little's law over the steady window; `undefined` when there is none or it is too short to tell. */
export const checkLittle = (gathered: Gathered, steady: WindowResult | null): LittleCheck | undefined => {
  if (steady === null || steady.to_s - steady.from_s < littleSecondsMin) return undefined;
  if (steady.total.requests < littleRequestsMin) return undefined;
  const [shortest, longest] = gathered.options.waitSeconds;
  return {
    users: gathered.crowd.started,
    requestsPerSecond: steady.total.requests_per_second,
    responseSeconds: steady.total.mean_ms / 1000,
    waitSeconds: (shortest + longest) / 2,
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
  const { options, crowd, steady, health, seconds, before, stoppedAtMs } = gathered;
  const from = judged === 'steady' ? steady : undefined;
  // A whole run with a steady window in it was read in two parts.
  const warmUp = from === undefined ? steady?.warmUp : undefined;
  const ranSeconds = (stoppedAtMs - before.atMs) / 1000;
  return judgeValidity({
    leftOutPercent: Math.max(0, (1 - ranSeconds / options.durationSeconds) * 100),
    failedFaults: gathered.faults.filter(({ error }) => error !== undefined).length,
    exceptions: crowd.exceptions.reduce((sum, { count }) => sum + count, 0),
    requests,
    generatorCpuPercents: seconds.slice(from?.second ?? 0).map((second) => second.generator_cpu_percent),
    loopDelayP99Ms: Math.max(health.loopDelayP99Ms, warmUp?.loopDelayP99Ms ?? 0),
    loopBusyPercent: Math.max(health.loopBusyPercent, warmUp?.loopBusyPercent ?? 0),
    tasks: crowd.tasks - (from?.tasks ?? 0),
    lateStarts: crowd.lateStarts - (from?.lateStarts ?? 0),
    foreignCpuPercent: foreignCpuPercent(gathered, cores),
    little,
  });
};
