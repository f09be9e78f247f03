import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../config/read-config.ts';
import { checkBacklog, checkFiles, checkLease, checkMachine } from './check-machine.ts';
import type { DataFolder, Machine } from './read-machine.ts';

const url = 'postgres://user@localhost/database';
const machine: Machine = { nodeVersion: '26.1.0', filesMax: 100_000, backlogMax: 4096, memoryBytes: 2 ** 34 };
const folder: DataFolder = {
  path: 'data',
  exists: true,
  mode: 0o700,
  isWritable: true,
  keyMode: 0o600,
  isMoved: false,
};
const configOf = (environment: NodeJS.Dict<string> = {}) => readConfig({}, undefined, environment);
const levels = (changes: Partial<Machine>, folderChanges: Partial<DataFolder> = {}, environment = {}) =>
  checkMachine(configOf(environment), { ...machine, ...changes }, { ...folder, ...folderChanges })
    .map(({ level }) => level)
    .filter((level) => level !== 'ok');

test('a machine that is large enough is well', () => {
  assert.deepEqual(levels({}), []);
  assert.deepEqual(levels({ filesMax: undefined, backlogMax: undefined }, { exists: false, isWritable: false }), []);
  assert.deepEqual(levels({}, { isMoved: true }, { DATABASE_URL: url }), []);
});

const cases: readonly (readonly [string, Partial<Machine>, Partial<DataFolder>, string])[] = [
  ['an old Node', { nodeVersion: '22.20.0' }, {}, 'failure'],
  ['few open files', { filesMax: 1024 }, {}, 'warning'],
  ['a short backlog', { backlogMax: 128 }, {}, 'warning'],
  ['little memory', { memoryBytes: 100 * 2 ** 20 }, {}, 'warning'],
  ['less memory than the lanes take', { memoryBytes: 70 * 2 ** 20 }, {}, 'failure'],
  ['a folder that others can look into', {}, { mode: 0o755 }, 'warning'],
  ['a folder that is not writable', {}, { isWritable: false }, 'failure'],
  ['a master key that others can read', {}, { keyMode: 0o644 }, 'failure'],
  ['a database that was moved', {}, { isMoved: true }, 'failure'],
];
for (const [name, changes, folderChanges, level] of cases)
  test(`${name} is a ${level}`, () => assert.deepEqual(levels(changes, folderChanges, { HASH_LANES: '4' }), [level]));

test('open files must do for the clients and for the share of the pool that one process has', () => {
  const config = configOf({ DATABASE_URL: url, WORKERS: '2', MAX_CONNECTIONS: '1000' });
  const level = (filesMax: number) => checkFiles(config, { ...machine, filesMax }).level;
  assert.deepEqual([level(1164), level(1165), level(Number.POSITIVE_INFINITY)], ['warning', 'ok', 'ok']);
});

test('a warning names the command that mends it', () => {
  assert.match(checkFiles(configOf(), { ...machine, filesMax: 1024 }).remedy ?? '', /ulimit -n 19100/);
  assert.match(checkBacklog(configOf(), { ...machine, backlogMax: 128 }).remedy ?? '', /sysctl -w .*=2048/);
});

test('a lease must hold four reads, which are further apart with many members', () => {
  const level = (members: number) => checkLease(configOf({ REVOCATION_LEASE_MS: '1000' }), members).level;
  assert.deepEqual([level(1), level(250), level(251)], ['ok', 'ok', 'warning']);
});
