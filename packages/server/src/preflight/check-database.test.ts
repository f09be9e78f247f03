import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../config/read-config.ts';
import type { Database } from '../stores/postgres/inspect.ts';
import { checkDatabase } from './check-database.ts';

const config = readConfig({}, undefined, { DATABASE_URL: 'postgres://user@localhost/database', WORKERS: '2' });
const database: Database = {
  version: 17,
  versionMin: 15,
  isStandby: false,
  encoding: 'UTF8',
  encodingRemedy: undefined,
  isPooled: false,
  role: 'catalytic',
  isAbovePolicies: false,
  tableOwner: 'catalytic',
  mayMigrate: true,
  // 2 machines × 2 workers × (15 kept + 1 for the journal) + 5 spare.
  connectionsAllowed: 69,
  connectionsReserved: 3,
  synchronousCommit: 'on',
  fsync: 'on',
  fullPageWrites: 'on',
  standbyNames: '',
  standbys: [],
  clockAheadMs: 0,
  members: 2,
  statements: {
    createRole: 'CREATE ROLE',
    ownDatabase: 'ALTER DATABASE',
    ownTable: 'ALTER TABLE',
    giveDatabase: 'GIVE DATABASE',
    giveTable: 'GIVE TABLE',
    seeStandbys: 'GRANT pg_read_all_stats',
  },
};

const cases: readonly (readonly [string, Partial<Database>, string | undefined, RegExp])[] = [
  ['a good one', {}, undefined, /./],
  ['an old server', { version: 14 }, 'failure', /15 or newer/],
  ['a standby', { isStandby: true }, 'failure', /primary/],
  ['a role above the policies', { isAbovePolicies: true }, 'warning', /CREATE ROLE.*ALTER DATABASE.*ALTER TABLE/],
  ['tables that cannot be made', { tableOwner: null, mayMigrate: false }, 'failure', /GIVE DATABASE/],
  ['tables of another role', { tableOwner: 'other', mayMigrate: false }, 'failure', /GIVE TABLE/],
  ['few connections', { connectionsAllowed: 68 }, 'warning', /max_connections = 72/],
  ['another encoding', { encoding: 'LATIN1', encodingRemedy: 'MAKE DATABASE' }, 'failure', /MAKE DATABASE/],
  ['a pooler in session mode', { isPooled: true }, undefined, /./],
  ['fsync off', { fsync: 'off' }, 'warning', /SET fsync = on/],
  ['torn pages', { fullPageWrites: 'off' }, 'warning', /SET full_page_writes = on/],
  ['commits that do not wait', { synchronousCommit: 'off' }, 'warning', /SET synchronous_commit = on/],
  ['commits that wait for more', { synchronousCommit: 'remote_apply' }, undefined, /./],
  ['a synchronous standby', { standbys: ['sync'] }, undefined, /./],
  ['a quorum', { standbys: ['quorum', 'quorum'] }, undefined, /./],
  ['an asynchronous standby', { standbys: ['sync', 'async'] }, 'warning', /synchronous_standby_names/],
  ['a standby that waits its turn', { standbys: ['sync', 'potential'] }, 'warning', /synchronous_standby_names/],
  ['a clock that is a little ahead', { clockAheadMs: 1900 }, undefined, /./],
  ['a clock that is behind', { clockAheadMs: -59_000 }, 'warning', /timedatectl/],
  ['a clock that is too far ahead', { clockAheadMs: 61_000 }, 'failure', /timedatectl/],
  ['standbys that the role may not see', { standbys: [null] }, 'warning', /GRANT pg_read_all_stats/],
];
for (const [name, changes, level, remedy] of cases)
  test(`${name}: ${level ?? 'ok'}`, () => {
    const found = checkDatabase(config, { ...database, ...changes }).filter((finding) => finding.level !== 'ok');
    assert.deepEqual(
      found.map((finding) => finding.level),
      level === undefined ? [] : [level],
    );
    for (const finding of found) assert.match(finding.remedy ?? '', remedy);
  });
