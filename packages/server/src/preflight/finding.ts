/**
 * What a look at the machine or the database has shown.
 * @module
 */

/** One thing that was looked at. `warning`: it works, and less well than it should; `failure`: it cannot work. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'failure';
  /** What was seen. */
  readonly text: string;
  /** What mends it: a command or a setting. */
  readonly remedy?: string;
}

/** A finding that nothing is to be done about. */
export const ok = (text: string): Finding => ({ level: 'ok', text });

/** One line: what was seen, and what mends it. */
export const lineOf = ({ text, remedy }: Finding): string => (remedy === undefined ? text : `${text}; ${remedy}`);
