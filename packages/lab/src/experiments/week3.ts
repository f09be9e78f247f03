/**
 * The experiment `week3`: the report of 3 October 2025 retold, and gone on with.
 * @module
 */
import { fileURLToPath } from 'node:url';
import type { Aim, Experiment, Phase } from './phase.ts';

/** Users and time of the quick version, of the whole one. */
const quickShare = { users: 0.05, seconds: 0.1 } as const;

/**
 * The aim for 10,000 users. Users that wait 2 s on average send half a request a second each: 4,700
 * are 94 % of that.
 */
const aim: Aim = { p50: 20, p95: 150, p99: 500, failures: 0, requestsPerUser: 0.47 };

const phases: readonly Phase[] = [
  {
    id: '1',
    title: '1,000 users, one process',
    question: 'What does a baseline look like when passwords are really checked?',
    target: { kind: 'embedded' },
    scenario: 'auth',
    users: 1000,
    steadySeconds: 120,
  },
  {
    id: '2a',
    title: '5,000 users, one process',
    question: 'Where the earlier system fell over: does one process carry five times as many?',
    target: { kind: 'embedded' },
    scenario: 'auth',
    users: 5000,
    steadySeconds: 120,
  },
  {
    id: '2b-1',
    title: '5,000 users, 4 processes that share nothing: a blacklist in each, connections kept',
    question: 'What does keep-alive hide? A user stays with one process, and that one knows.',
    target: { kind: 'naive', workers: 4, state: 'blacklist', closes: false },
    scenario: 'auth',
    users: 5000,
    steadySeconds: 60,
    spawnRate: 100,
  },
  {
    id: '2b-2',
    title: '5,000 users, 4 processes that share nothing: a blacklist in each, each request to the next process',
    question: 'How many dead tokens are accepted once requests are balanced?',
    target: { kind: 'naive', workers: 4, state: 'blacklist', closes: true },
    scenario: 'auth',
    users: 5000,
    steadySeconds: 60,
    spawnRate: 100,
  },
  {
    id: '2b-3',
    title: '5,000 users, 4 processes that share nothing: sessions in each, each request to the next process',
    question: 'How many live tokens are refused once requests are balanced?',
    target: { kind: 'naive', workers: 4, state: 'sessions', closes: true },
    scenario: 'auth',
    users: 5000,
    steadySeconds: 60,
    spawnRate: 100,
  },
  {
    id: '2b-4',
    title: '5,000 users that never pause, the same 4 processes: overload',
    question: 'How many requests get no answer at all, whatever the state of their token?',
    target: { kind: 'naive', workers: 4, state: 'blacklist', closes: true },
    scenario: 'auth',
    users: 5000,
    steadySeconds: 60,
    spawnRate: 500,
    waitSeconds: [0, 0],
  },
  {
    id: '3',
    title: '5,000 users, 4 workers, PostgreSQL and Redis',
    question: 'The same number of processes, but with shared state.',
    target: { kind: 'workers', workers: 4 },
    scenario: 'auth',
    users: 5000,
    steadySeconds: 120,
  },
  {
    id: '4a',
    title: '10,000 users, one process',
    question: 'What the earlier report never reached.',
    target: { kind: 'embedded' },
    scenario: 'auth',
    users: 10_000,
    steadySeconds: 120,
    aim,
  },
  {
    id: '4b',
    title: '10,000 users, 4 workers, PostgreSQL and Redis',
    question: 'The same on one machine that carries all of a deployment.',
    target: { kind: 'workers', workers: 4 },
    scenario: 'auth',
    users: 10_000,
    steadySeconds: 120,
    aim,
  },
  {
    id: '5a',
    title: '10,000 users, mixed traffic, one process',
    question: 'With refreshes, and more calls for each login.',
    target: { kind: 'embedded' },
    scenario: 'mixed',
    users: 10_000,
    steadySeconds: 120,
    aim,
  },
  {
    id: '5b',
    title: '10,000 users, mixed traffic, 4 workers, PostgreSQL and Redis',
    question: 'The same, with all of a deployment.',
    target: { kind: 'workers', workers: 4 },
    scenario: 'mixed',
    users: 10_000,
    steadySeconds: 120,
  },
  {
    id: '6',
    title: '5,000 users while Redis, then PostgreSQL, is paused',
    question: 'Who notices, and for how long?',
    target: { kind: 'workers', workers: 4 },
    scenario: 'outage',
    users: 5000,
    steadySeconds: 120,
  },
];

const phasesOf = (isQuick: boolean): readonly Phase[] =>
  isQuick
    ? phases.map((phase) => ({
        ...phase,
        users: Math.round(phase.users * quickShare.users),
        steadySeconds: Math.max(phase.scenario === 'outage' ? 40 : 8, phase.steadySeconds * quickShare.seconds),
      }))
    : phases;

/** The experiment. */
export const week3: Experiment = {
  title: 'The report of 3 October 2025, retold',
  baselineFile: fileURLToPath(new URL('../../examples/first-report.json', import.meta.url)),
  aboutTokens:
    'Of the 43.85 % that the report of 3 October 2025 counted as failed with four processes, all but 94 requests were connections that failed ' +
    '(status 0): overload, not the state of tokens. It named the blacklist of each process as the cause; with kept connections that could ' +
    'hardly be seen, as phase 2b-1 shows, and 2b-2 and 2b-3 show what it does when it can. What overload does apart from tokens is the last ' +
    'column, and phase 2b-4 is the same server with more work than it can do.',
  phasesOf,
};
