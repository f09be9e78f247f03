/**
 * The log of the sidecar: JSON, one object in a line, on standard error, as the service writes it.
 * No line holds a token, a header or a path.
 * @module
 */

/** Writes lines. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** Opens a log. @param write takes one line, its end included */
export const openLog = (write: (line: string) => void): Log => {
  const line = (level: string, msg: string): void =>
    write(`${JSON.stringify({ level, time: new Date().toISOString(), pid: process.pid, msg })}\n`);
  return { info: (message) => line('info', message), warn: (message) => line('warn', message) };
};
