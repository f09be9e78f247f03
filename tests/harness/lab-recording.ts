/**
 * A run of the lab without a target: it records requests of any kind as the generators do, second by second, and builds the result.
 * @module
 */

import { makeOptions } from '../../packages/lab/src/commands/make-options.ts';
import { readRunWords } from '../../packages/lab/src/commands/run-flags.ts';
import { ExceptionCounts } from '../../packages/lab/src/containment/exceptions.ts';
import { ConsistencyChecker } from '../../packages/lab/src/measures/consistency.ts';
import { CustomMeasures } from '../../packages/lab/src/measures/custom-measures.ts';
import { Recorder } from '../../packages/lab/src/measures/recorder.ts';
import { RevocationMeasure } from '../../packages/lab/src/measures/revocation.ts';
import type { LoadSecond } from '../../packages/lab/src/measures/sampler.ts';
import { Sampler } from '../../packages/lab/src/measures/sampler.ts';
import { buildResult } from '../../packages/lab/src/reports/build-result.ts';
import type { Reading } from '../../packages/lab/src/reports/gathered.ts';
import type { RunResult } from '../../packages/lab/src/results/result.ts';
import { verify } from '../../packages/lab/src/scenarios/verify.ts';
import { TransportMeasure } from '../../packages/lab/src/targets/transport.ts';

/** A request that has ended. */
export interface RecordedRequest {
  /** Number of the process that sent it. */
  readonly process: number;
  /** Seconds from the start of the run to its answer. */
  readonly answeredSeconds: number;
  readonly method: string;
  readonly name: string;
  readonly kind: 'ok' | 'expected' | 'real';
  readonly error: string;
  readonly latencyMs: number;
  readonly bytes: number;
  readonly worker: string | undefined;
}

/** A run. */
export interface Recording {
  readonly processes: number;
  readonly seconds: number;
  readonly requests: readonly RecordedRequest[];
  /** When all users were ready; `undefined`: never. */
  readonly steadyFromSeconds: number | undefined;
  /** Whether answers after the end are cut and not recorded. */
  readonly isInterrupted: boolean;
  readonly exceptions: readonly string[];
  /** Values of a trend, and of a counter. */
  readonly values: readonly number[];
}

const generator = { cpuPercent: 1, loopDelayP99Ms: 1, loopBusyPercent: 1, rssMb: 1 };

/** The clock of each process starts at another time. */
const clockOf = (process: number): number => process * 4096;

/** Makes the result as a run does. */
export const resultOf = (recording: Recording): RunResult => {
  const { processes, seconds, requests, steadyFromSeconds, isInterrupted } = recording;
  const startMs = performance.now() - seconds * 1000;
  const start = { atMs: startMs, unixMs: 1_790_000_000_500 };
  const main = new Recorder();
  const custom = new CustomMeasures([], { values: 'trend', sum: 'counter' });
  // One process records in its own; several hand over what they have recorded.
  const parts = Array.from({ length: processes }, () => (processes === 1 ? main : new Recorder()));
  const partsOfOwn = parts.map((part) =>
    part === main ? custom : new CustomMeasures([], { values: 'trend', sum: 'counter' }),
  );
  const exceptions = new ExceptionCounts();
  for (const message of recording.exceptions) exceptions.note(new Error(message));
  for (const [index, value] of recording.values.entries()) {
    partsOfOwn[index % processes]?.trend('values', value);
    partsOfOwn[index % processes]?.count('sum', value);
  }
  const sampler = new Sampler(undefined, start);

  const turn = (): LoadSecond => {
    for (const [index, part] of parts.entries())
      if (part !== main) {
        main.absorb(structuredClone(part.take()), -clockOf(index));
        custom.absorb(structuredClone(partsOfOwn[index]?.take() ?? custom.take()));
      }
    return { users: 1, requests: main.turnSecond(), generator };
  };
  const record = (second: number): void => {
    for (const request of requests.filter(({ answeredSeconds }) => Math.floor(answeredSeconds) === second)) {
      const { process, answeredSeconds, method, name, kind, error, latencyMs, bytes, worker } = request;
      const answeredAtMs = startMs + answeredSeconds * 1000 + clockOf(process);
      const outcome = { kind, name: kind === 'ok' ? 'ok' : error };
      const sentAtMs = answeredAtMs - latencyMs;
      parts[process]?.record({ method, name, outcome, sentAtMs, answeredAtMs, bytes, worker });
    }
  };
  for (let second = 0; second < seconds; second++) {
    if (second === steadyFromSeconds)
      for (const [index, part] of parts.entries()) part.startSteady(startMs + second * 1000 + clockOf(index));
    record(second);
    sampler.take(turn());
  }
  if (isInterrupted) for (const part of parts) part.close();
  record(seconds);
  const rest = turn();
  if (rest.requests.requests > 0) sampler.take(rest, true);

  const reading = (atMs: number): Reading => ({
    cpu: { user: 0, system: 0 },
    machine: undefined,
    target: undefined,
    counted: [],
    atMs,
  });
  const counters = { tasks: 0, taskMs: 0, waitMs: 0, userMs: 0, lateStarts: 0 };
  const { flags, typed } = readRunWords([
    '--duration',
    String(seconds),
    '--users',
    String(processes),
    '--processes',
    String(processes),
  ]);
  const stoppedAtMs = startMs + seconds * 1000;
  return buildResult({
    scenario: 'recorded',
    options: makeOptions('verify', verify, flags, typed),
    weights: { verify: 1 },
    fingerprint: '0',
    accounts: { kind: 'imported' },
    start,
    stoppedAtMs,
    steady:
      steadyFromSeconds === undefined
        ? undefined
        : {
            ...counters,
            atMs: startMs + steadyFromSeconds * 1000,
            warmUp: generator,
            reading: reading(startMs),
            second: steadyFromSeconds,
          },
    isInterrupted,
    abortedBy: undefined,
    recorder: main,
    transport: new TransportMeasure(),
    checker: new ConsistencyChecker(),
    faults: [],
    revocation: new RevocationMeasure(),
    guards: [],
    outage: undefined,
    workerNames: undefined,
    crowd: {
      ...counters,
      started: processes,
      droppedStarts: undefined,
      cutRequests: 0,
      exceptions: exceptions.all,
      connects: processes,
      reconnects: 0,
      health: generator,
    },
    custom,
    changes: 0,
    targetPid: undefined,
    isTargetRemote: false,
    before: reading(startMs),
    after: reading(stoppedAtMs),
    scraped: undefined,
    seconds: sampler.seconds,
    history: sampler.history,
  });
};
