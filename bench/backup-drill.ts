/**
 * What does each way of a backup or a move keep and forget, and what does `catalytic after-restore` undo of the damage?
 * @module
 */
import type { DrillRow } from './drills/drill.ts';
import { postgresDrills } from './drills/postgres-ways.ts';
import { sqliteDrills } from './drills/sqlite-ways.ts';
import { runBench } from './harness/bench.ts';
import { table } from './harness/figures.ts';
import { number, RefusedError } from './harness/options.ts';
import { say } from './harness/result.ts';

const drills = { ...postgresDrills, ...sqliteDrills };
const names = Object.keys(drills);

const help = `Drills of backups, each with a service in processes of its own: accounts sign in, some are signed out before the copy and some after it, the
copy takes the place of the data as docs/operating/backups-and-upgrades.md says, and all tokens are presented again.

  npm run bench -- backup-drill [DRILL …] [--accounts 50] [--out FILE]

Drills: ${names.join(', ')}. All of them unless named.
Needs pg_dump, psql, pg_basebackup and pg_upgrade: of the PostgreSQL that is installed, or of Debian's packages. About 5 minutes.
It counts tokens; its times are no measurement. Exit code 2: a dead token was accepted, or a live one refused where all were to stay.
`;

const inTable = (rows: readonly DrillRow[]): string =>
  table(
    [
      'way',
      'copy',
      'restored',
      'promised',
      'rows',
      'copy s',
      'move s',
      'dead accepted',
      'dead refreshed',
      'live refused',
      'live refreshed',
      'later accepted',
      'later 202',
      'later ms p50',
      'later ms max',
    ],
    rows.map((row) => [
      row.way,
      row.copy,
      row.restored,
      row.promised,
      row.rows,
      row.copySeconds,
      row.moveSeconds,
      `${row.dead.accepted} of ${row.dead.sessions}`,
      row.dead.refreshed,
      `${row.live.refused} of ${row.live.sessions}`,
      row.live.refreshed,
      row.later.accepted + (row.acceptedAfterCommand ? 1 : 0),
      row.later.pending,
      row.later.p50Ms,
      row.later.maxMs,
    ]),
  );

await runBench({
  help,
  options: { accounts: number(50, { min: 10, max: 10_000 }) },
  measures: 'counts',
  takesWords: true,
  run: async ({ values: { accounts }, words }) => {
    const wanted = words.length === 0 ? names : words;
    const unknown = wanted.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new RefusedError(`There is no drill ${unknown}: there are ${names.join(', ')}`);
    const rows: DrillRow[] = [];
    for (const name of wanted) {
      say(name);
      rows.push(...((await drills[name]?.({ accounts, workers: 2 })) ?? []));
    }
    return { figures: { accounts, rows }, table: inTable(rows), missed: rows.flatMap((row) => row.missed) };
  },
});
