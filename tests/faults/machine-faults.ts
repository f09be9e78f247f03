/**
 * Faults of one of two machines: the one that does not sign out.
 * @module
 */
import { everybody, type Fault, healAll, pastLease, type Scene, undoAfter, unprepared } from './fault.ts';
import { everyWay, type Machine, type Way } from './machine.ts';
import type { PinnedWorker } from './pinned-worker.ts';

const victim = ({ deployment, other }: Scene): Machine => deployment.machineOf(other);

const onOtherMachines = (scene: Scene): readonly PinnedWorker[] =>
  everybody(scene).filter(({ machine }) => machine !== scene.other.machine);

const cut = (ways: readonly Way[], what: 'says' | 'hears' | 'both'): Fault['prepare'] =>
  unprepared(async (scene) => {
    victim(scene).cut(ways, what);
    return undoAfter(pastLease(scene), () => healAll(scene.deployment));
  });

const kill = unprepared(async (scene) => {
  const machine = victim(scene);
  await machine.kill();
  return undoAfter(pastLease(scene), () => machine.restart());
});

const onMachine = (
  prepare: Fault['prepare'],
  bystanders: NonNullable<Fault['bystanders']> = onOtherMachines,
): Fault => ({
  setting: 'two networks',
  isAcross: true,
  prepare,
  bystanders,
});

/** These faults, by name. */
export const machineFaults: Readonly<Record<string, Fault>> = {
  'machine cut from everything': onMachine(cut(everyWay, 'both')),
  'machine cut from redis': onMachine(cut(['redis'], 'both'), everybody),
  'machine hears nothing': onMachine(cut(everyWay, 'hears')),
  'machine is not heard': onMachine(cut(everyWay, 'says')),
  'machine killed whole, another takes its place': onMachine(kill),
};
