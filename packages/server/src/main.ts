#!/usr/bin/env node
/**
 * The command line.
 * @module
 */
import { createRequire } from 'node:module';
import { CatalyticError } from '@catalytic/protocol/errors';
import { Command, CommanderError } from 'commander';
import { teach } from './commands/teach.ts';
import { keepCompiledModules } from './config/compiled-modules.ts';
import { ConfigError } from './config/read-config.ts';

keepCompiledModules();

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Every command under its heading, in the order of the help. */
const commands: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  'Run it:': {
    serve: async () => (await import('./commands/serve.ts')).serveCommand(),
    doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
    'hash-capacity': async () => (await import('./commands/hash-capacity.ts')).hashCapacityCommand(),
  },
  'Who uses it:': {
    accounts: async () => (await import('./commands/accounts.ts')).accountsCommand(),
    tenants: async () => (await import('./commands/tenants.ts')).tenantsCommand(),
    audit: async () => (await import('./commands/audit.ts')).auditCommand(),
  },
  'Keep it:': {
    backup: async () => (await import('./commands/backup.ts')).backupCommand(),
    restore: async () => (await import('./commands/restore.ts')).restoreCommand(),
    restored: async () => (await import('./commands/restored.ts')).restoredCommand(),
    migrate: async () => (await import('./commands/migrate.ts')).migrateCommand(),
  },
  'Keys:': {
    keys: async () => (await import('./commands/keys.ts')).keysCommand(),
    'admin-keys': async () => (await import('./commands/admin-keys.ts')).adminKeysCommand(),
  },
};

const program = new Command('catalytic')
  .description(
    'Self-hosted, multi-tenant authentication: tokens checked at the speed of a JWT, dead the moment logout answers 200.',
  )
  .version(`${version} (Node ${process.versions.node}, SQLite ${process.versions['sqlite']})`)
  .showHelpAfterError('"catalytic --help", or --help after a command, says what there is.');

// Each command brings modules of its own: the one that is asked for need not wait for those of the others.
const [, , asked = ''] = process.argv;
const isKnown = Object.values(commands).some((group) => Object.hasOwn(group, asked));
for (const [heading, group] of Object.entries(commands)) {
  program.commandsGroup(heading);
  for (const [name, load] of Object.entries(group)) if (!isKnown || name === asked) program.addCommand(await load());
}

teach(program, [
  ['serve', 'serve on 127.0.0.1:8000, data in ./data ("npm start" is the same)'],
  ['doctor', 'is this machine enough, and for how many users?'],
  ['backup --to /backups/today', 'a consistent copy while the service runs'],
  ['keys rotate', 'replace the signing key of a running service'],
  ['serve --help', 'every setting; flags win over the environment, the environment over --config'],
]);

/** Usage errors are thrown to the end of this file, by every command. Only what commander makes itself inherits that. */
const throwUsage = (command: Command): void => {
  command.exitOverride();
  for (const inner of command.commands) throwUsage(inner);
};
throwUsage(program);

// Whoever reads our output may stop reading (`catalytic audit list | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// Whatever a command creates belongs to this user alone.
process.umask(0o077);

try {
  await program.parseAsync();
} catch (error) {
  // Help, or a refusal of the command line, which commander has printed.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof ConfigError || error instanceof CatalyticError) {
    const fields = error instanceof CatalyticError ? (error.fields ?? []) : [];
    const reasons = fields.map(({ field, message }) => `; ${field} ${message}`).join('');
    process.stderr.write(`catalytic: ${error.message}${reasons}\n`);
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  } else throw error;
}
