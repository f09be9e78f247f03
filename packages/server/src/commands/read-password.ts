/**
 * Reading a password: never from a flag, because every user of a machine can read the flags of a
 * process.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ConfigError } from '../config/read-config.ts';

/** Asks on the terminal. The answer is not echoed and enters no history. */
const ask = async (question: string): Promise<string> => {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  process.stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      terminal.once('line', resolve);
      terminal.once('close', () => reject(new ConfigError('Cannot read the password: the input ended')));
    });
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
};

/**
 * Reads a new password: asks twice without echo on a terminal, else takes standard input without
 * its last line end.
 * @throws {ConfigError} when the input ends, or the two differ
 */
export const readNewPassword = async (): Promise<string> => {
  if (!process.stdin.isTTY) return readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  const password = await ask('New password (at least 15 characters; nothing is shown): ');
  if ((await ask('The same again: ')) === password) return password;
  throw new ConfigError('Cannot use the password: the two are not the same');
};
