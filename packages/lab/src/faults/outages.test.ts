import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planOutages } from './outage-plan.ts';
import { outagesOf } from './outages.ts';

const set = (...names: readonly string[]): ReadonlySet<string> => new Set(names);
const everything = {
  processes: set('redis', 'postgres', 'worker'),
  commands: set('redis-start', 'redis-flush', 'postgres-start'),
};
const times = { durationSeconds: 120, rampSeconds: 10, leaseSeconds: 5 };

const readWord = (word: string) => {
  const [, name = '', fault = '', ms] = /^(.+):(.+)@(\d+)ms$/.exec(word) ?? [];
  return { name, fault, atSeconds: Number(ms) / 1000 };
};

test('all that was declared is broken in turn: the lease decides how long PostgreSQL pauses, the run how long the rest lasts', () => {
  const { faults, leftOut } = planOutages(everything, times);
  assert.deepEqual(leftOut, []);
  // (120 − 10 − 3 − 8) s for 27 parts of which three belong to the beginning.
  assert.deepEqual(faults, [
    'redis:pause@21000ms',
    'redis:resume@28333ms',
    'redis:kill@39333ms',
    'redis-start:run@46667ms',
    'redis-flush:run@57667ms',
    'postgres:pause@68667ms',
    'postgres:resume@71667ms',
    'postgres:pause@82667ms',
    'postgres:resume@90667ms',
    'postgres:kill@101667ms',
    'postgres-start:run@109000ms',
  ]);
  assert.deepEqual(
    outagesOf(faults.map(readWord)).map(({ name, subject, begins, heals }) => [name, subject, begins, heals]),
    [
      ['redis paused', 'redis', 0, 1],
      ['redis killed', 'redis', 2, 3],
      ['redis flushed', 'redis', 4, 4],
      ['postgres paused 3 s', 'postgres', 5, 6],
      ['postgres paused 8 s', 'postgres', 7, 8],
      ['postgres killed', 'postgres', 9, 10],
    ],
  );
});

test('what was not declared is left out, with what it needs; nothing at all is refused with an example', () => {
  const { faults, leftOut } = planOutages({ processes: set('redis'), commands: set() }, times);
  assert.deepEqual(
    faults.map((word) => word.split('@')[0]),
    ['redis:pause', 'redis:resume'],
  );
  assert.deepEqual(leftOut, [
    'kill redis (needs --command "redis-start=…")',
    'flush redis (needs --command "redis-flush=…")',
    'pause postgres for less than the lease (needs --process postgres=…)',
    'pause postgres for longer than the lease (needs --process postgres=…)',
    'kill postgres (needs --process postgres=… and --command "postgres-start=…")',
  ]);
  const nothing = { processes: set('worker'), commands: set('redis-start') };
  assert.throws(() => planOutages(nothing, times), /nothing to break: declare redis or postgres.*--process redis=/);
});

test('a run that is too short is refused with the least that fits, and that fits', () => {
  const short = { ...times, durationSeconds: 47 };
  assert.throws(() => planOutages(everything, short), /at least --duration 48s/);
  assert.ok(planOutages(everything, { ...short, durationSeconds: 48 }).faults.length > 0);
});

test('whatever is declared, faults come in order, within the run, with quiet before, between and after', () => {
  const names = fc.subarray(['redis', 'postgres']);
  const commands = fc.subarray(['redis-start', 'redis-flush', 'postgres-start']);
  fc.assert(
    fc.property(
      names,
      commands,
      fc.integer({ min: 5, max: 3600 }),
      fc.double({ min: 0.1, max: 60, noNaN: true }),
      (processes, declared, durationSeconds, leaseSeconds) => {
        const breakable = { processes: new Set(processes), commands: new Set(declared) };
        const plan = () => planOutages(breakable, { durationSeconds, rampSeconds: 2, leaseSeconds });
        try {
          plan();
        } catch {
          return;
        }
        const faults = plan().faults.map(readWord);
        const outages = outagesOf(faults);
        assert.deepEqual(plan(), plan());
        assert.equal(new Set(outages.map(({ name }) => name)).size, outages.length);
        let quietFrom = 2;
        for (const { begins, heals } of outages) {
          assert.ok((faults[begins]?.atSeconds ?? 0) - quietFrom > 2.9);
          quietFrom = faults[heals ?? -1]?.atSeconds ?? Number.NaN;
        }
        assert.ok(durationSeconds - quietFrom > 2.9);
      },
    ),
  );
});

test('faults that were given are read as outages, whatever they happen to', () => {
  const given = (...words: readonly string[]) =>
    outagesOf(words.map((word, atSeconds) => ({ ...readWord(`${word}@0ms`), atSeconds })));
  assert.deepEqual(
    given('worker/1:pause', 'redis-proxy:cut=up', 'worker/1:resume', 'redis-proxy:heal', 'worker/1:kill', 'chaos:run'),
    [
      { name: 'worker/1 paused', subject: 'other', begins: 0, heals: 2 },
      { name: 'redis-proxy cut', subject: 'redis', begins: 1, heals: 3 },
      { name: 'worker/1 killed', subject: 'other', begins: 4, heals: undefined },
      { name: 'chaos run', subject: 'other', begins: 5, heals: 5 },
    ],
  );
  assert.deepEqual(
    given('redis-flush:run', 'redis-flush:run', 'redis-start:run', 'redis:resume').map(({ name }) => name),
    ['redis flushed', 'redis flushed (2)'],
  );
  const many = Array.from({ length: 51 }, () => 'redis-flush:run');
  assert.throws(() => given(...many), /51 outages; at most 50/);
});
