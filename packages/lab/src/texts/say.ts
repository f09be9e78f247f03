/**
 * The output of the lab on its terminal: all of it goes through this place, because much of it was
 * said by others first.
 * @module
 */
import { printableLines } from './printable.ts';
import { redact, secretsOfWords } from './redact.ts';

/** A line on standard output. */
export const say = (line: string): void => void process.stdout.write(`${printableLines(line)}\n`);

/** Text without control characters and without the secrets of this process's command line. */
export const shownError = (text: string): string => printableLines(redact(text, secretsOfWords(process.argv.slice(2))));

/** Why something did not work, on standard error. */
export const complain = (reason: string): void => void process.stderr.write(`catalytic-lab: ${shownError(reason)}\n`);

/** An error as a sentence, whatever was thrown. */
export const messageOf = (thrown: unknown): string => {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return 'something that cannot be shown was thrown';
  }
};
