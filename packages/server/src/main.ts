#!/usr/bin/env node
/**
 * The command line.
 * @module
 */
import { createRequire } from 'node:module';
import { CatalyticError } from '@catalytic/protocol/errors';
import { Command, CommanderError } from 'commander';
import { accountsCommand } from './commands/accounts.ts';
import { adminKeysCommand } from './commands/admin-keys.ts';
import { auditCommand } from './commands/audit.ts';
import { backupCommand } from './commands/backup.ts';
import { doctorCommand } from './commands/doctor.ts';
import { hashCapacityCommand } from './commands/hash-capacity.ts';
import { keysCommand } from './commands/keys.ts';
import { migrateCommand } from './commands/migrate.ts';
import { restoreCommand } from './commands/restore.ts';
import { restoredCommand } from './commands/restored.ts';
import { serveCommand } from './commands/serve.ts';
import { teach } from './commands/teach.ts';
import { tenantsCommand } from './commands/tenants.ts';
import { ConfigError } from './config/read-config.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

const program = new Command('catalytic')
  .description(
    'Self-hosted, multi-tenant authentication: tokens checked at the speed of a JWT, dead the moment logout answers 200.',
  )
  .version(`${version} (Node ${process.versions.node}, SQLite ${process.versions['sqlite']})`)
  .showHelpAfterError('"catalytic --help", or --help after a command, says what there is.')
  .commandsGroup('Run it:')
  .addCommand(serveCommand())
  .addCommand(doctorCommand())
  .addCommand(hashCapacityCommand())
  .commandsGroup('Who uses it:')
  .addCommand(accountsCommand())
  .addCommand(tenantsCommand())
  .addCommand(auditCommand())
  .commandsGroup('Keep it:')
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addCommand(restoredCommand())
  .addCommand(migrateCommand())
  .commandsGroup('Keys:')
  .addCommand(keysCommand())
  .addCommand(adminKeysCommand());

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
