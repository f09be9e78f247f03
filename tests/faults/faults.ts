/**
 * All faults that are injected into a deployment while a session is signed out.
 * @module
 */
import { edgeFaults } from './edge-faults.ts';
import type { Fault } from './fault.ts';
import { guardFaults } from './guard-faults.ts';
import { machineFaults } from './machine-faults.ts';
import { oneMachineFaults } from './one-machine-faults.ts';
import { redisFaults } from './redis-faults.ts';

/** Faults inside a deployment whose assumptions hold, by name. */
export const innerFaults: Readonly<Record<string, Fault>> = { ...oneMachineFaults, ...redisFaults, ...machineFaults };

/** Every fault, by name. */
export const faults: Readonly<Record<string, Fault>> = { ...innerFaults, ...edgeFaults, ...guardFaults };
