/**
 * Results of checks of the machine, the database and Redis.
 * @module
 */

/**
 * The result of one check. `warning`: it works, but worse than it should; `failure`: it cannot
 * work.
 */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'failure';
  /** The observation. */
  readonly text: string;
  /** The command or setting that corrects it. */
  readonly remedy?: string;
}

/** A finding that needs no action. */
export const ok = (text: string): Finding => ({ level: 'ok', text });

/** One line: the observation, and its remedy. */
export const lineOf = ({ text, remedy }: Finding): string => (remedy === undefined ? text : `${text}; ${remedy}`);
