/**
 * Clocks that are wrong, in two ways.
 *
 * The wall clock of one machine or of the database differs by more than assumption A3 allows. A worker whose clock differs so much from the
 * database's must accept nothing and say so. The other workers must not notice.
 *
 * Clocks stand still while a machine is paused. If the wall clock shows the pause, a worker must accept nothing until it has read the
 * journal. If no clock shows it, assumption A4 is broken, and a worker may accept a dead token.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { everybody, type Fault, pastLease, type Scene, type Undo, undoAfter, unprepared } from './fault.ts';
import type { PinnedWorker } from './pinned-worker.ts';

/** Five minutes: more than the minute that is allowed, and than the three for which an entry outlives its tokens. */
const wrongSeconds = 300;
/** Added to a lease: the time in which a worker reads the journal once more before its lease ends, milliseconds. */
const noticeMsMax = 500;

/** Checks that these workers accept nothing, then sets the clock right again. */
const untilRefused =
  (scene: Scene, workers: readonly PinnedWorker[], setRight: () => void): Undo =>
  async () => {
    await delay(scene.leaseMs + noticeMsMax);
    for (const worker of workers)
      scene.expect(!(await scene.accepts(worker)), `worker ${worker.label} accepts a token with a wrong clock`);
    await delay(pastLease(scene) - scene.leaseMs);
    setRight();
  };

const saying = (how: 'ahead of' | 'behind'): RegExp =>
  new RegExp(`The clock of this machine is (299|300|301) s ${how} the clock of the database`);

const ofMachine = (who: 'revoker' | 'other', aheadSeconds: number): Fault => {
  const isThere =
    (scene: Scene) =>
    ({ machine }: PinnedWorker): boolean =>
      machine === scene[who].machine;
  return {
    setting: 'two machines with clocks of their own',
    isAcross: true,
    answers: [200],
    // To a clock that is behind, a token comes from the future.
    mayRefuse: ['token_not_yet_valid', 'introspection: inactive'],
    says: saying(aheadSeconds > 0 ? 'ahead of' : 'behind'),
    bystanders: (scene) => everybody(scene).filter((worker) => !isThere(scene)(worker)),
    prepare: unprepared(async (scene) => {
      const machine = scene.deployment.machineOf(scene[who]);
      machine.setClock(aheadSeconds * 1000);
      return untilRefused(scene, everybody(scene).filter(isThere(scene)), () => machine.setClock(0));
    }),
  };
};

const ofDatabase = (aheadSeconds: number): Fault => ({
  setting: 'a database with a clock of its own',
  says: saying(aheadSeconds > 0 ? 'behind' : 'ahead of'),
  prepare: unprepared(async (scene) => {
    const { postgres } = scene.deployment;
    postgres.setClock(aheadSeconds);
    return untilRefused(scene, everybody(scene), () => postgres.setClock(0));
  }),
});

/** Stops every process of a machine for longer than a lease. The setting says which of its clocks hide the pause. */
const pausedMachine = (setting: Fault['setting']): Fault => ({
  setting,
  isAcross: true,
  answers: [200],
  bystanders: (scene) => everybody(scene).filter(({ machine }) => machine === scene.revoker.machine),
  prepare: unprepared(async (scene) => {
    const machine = scene.deployment.machineOf(scene.other);
    // No hint may wait for the worker when it wakes: it must learn of the sign-out from the journal.
    machine.cut(['redis'], 'hears');
    machine.signal('SIGSTOP');
    return undoAfter(2 * pastLease(scene), async () => {
      machine.signal('SIGCONT');
      await delay(scene.leaseMs);
      machine.heal();
    });
  }),
});

/** These faults, by name. */
export const clockFaults: Readonly<Record<string, Fault>> = {
  'clock of a machine 5 min ahead': ofMachine('other', wrongSeconds),
  'clock of a machine 5 min behind': ofMachine('other', -wrongSeconds),
  'clock of the revoking machine 5 min ahead': ofMachine('revoker', wrongSeconds),
  'clock of the revoking machine 5 min behind': ofMachine('revoker', -wrongSeconds),
  'clock of the database 5 min ahead': ofDatabase(wrongSeconds),
  'clock of the database 5 min behind': ofDatabase(-wrongSeconds),
  'machine suspended, its wall clock shows it': pausedMachine('two machines that are suspended'),
  'machine paused by a hypervisor, no clock shows it': {
    ...pausedMachine('two machines under a hypervisor'),
    breaks: 'A4',
  },
};
