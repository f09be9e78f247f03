/**
 * The log: JSON lines on standard error.
 * @module
 */
import { type Logger, pino } from 'pino';
import { errorFields } from './error-fields.ts';
import { standardError } from './line-writer.ts';

export type { Logger } from 'pino';

/**
 * Opens the log. Callers never pass it request bodies, headers or query strings; a secret that
 * reaches it in spite of that is a `Secret` and prints as a placeholder. A line is never waited
 * for: while no reader takes them, lines are dropped and counted.
 * @param level least severe level written
 */
export const openLog = (level: string): Logger => {
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: errorFields },
    },
    standardError,
  );
  standardError.onRelief((dropped) =>
    log.warn(
      { dropped },
      'Lines of the log were dropped, because nobody read them: read standard error, or raise LOG_LEVEL',
    ),
  );
  return log;
};
