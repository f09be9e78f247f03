/**
 * The log: JSON lines on standard error.
 * @module
 */
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/**
 * Opens the log. Request bodies, headers and query strings are never given to it; a secret that gets there all the same is a
 * `Secret` and prints as a placeholder.
 * @param level least severe level written
 */
export const openLog = (level: string): Logger =>
  pino(
    {
      level,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: pino.stdSerializers.errWithCause },
    },
    pino.destination({ dest: 2, sync: true }),
  );
