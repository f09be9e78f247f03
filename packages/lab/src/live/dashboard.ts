/**
 * The display of a run: on a terminal a block that is redrawn, with keys; elsewhere a plain line
 * every five seconds.
 * @module
 */

import { atExit } from '../containment/at-exit.ts';
import type { Sampler } from '../measures/sampler.ts';
import type { SecondResult } from '../results/result.ts';
import { printable } from '../texts/printable.ts';
import { blockOf, type LiveView } from './block.ts';
import { plainLine } from './plain-lines.ts';

/** Seconds between two plain lines. */
const plainEverySeconds = 5;
/** A key changes the users by this. */
const keyFactor = 1.1;
/** Largest and smallest factor by which the users may be changed by hand. */
const factorMax = 2;
const factorMin = 0.1;

const control = '\x1b[';
const hideCursor = `${control}?25l`;
const showCursor = `${control}?25h`;

/** Columns of a terminal that does not say, or says 0. */
const columnsUnknown = 80;

/** Actions of the keys. */
export interface Controls {
  /** Scales the number of users by `factor`. */
  readonly scale: (factor: number) => void;
}

/** Where a run is shown. */
export interface DashboardParts {
  readonly out: NodeJS.WriteStream;
  readonly input: NodeJS.ReadStream;
  /** Lines only, on a terminal too. */
  readonly isPlain: boolean;
  readonly users: number;
  readonly durationSeconds: number;
  /** Whether the number of users can be changed: in the open model it decides nothing. */
  readonly canScale: boolean;
  /** Ends the run early. Called once more when it was asked for once more. */
  readonly stop: () => void;
}

/** Shows the seconds of a run as they end. */
export interface Dashboard {
  /** A line that stays. */
  say(text: string): void;
  /** From now on there is something to see. */
  start(controls: Controls): void;
  /** @param sampler has the seconds before it */
  show(second: SecondResult, isSteady: boolean, sampler: Pick<Sampler, 'last'>): void;
  /** Clears the block and restores the terminal. */
  end(): void;
}

/** Listens to keys. @returns a function that stops it */
const listen = (input: NodeJS.ReadStream, onKey: (key: string) => void): (() => void) => {
  const hear = (keys: Buffer): void => {
    for (const key of keys.toString('latin1')) onKey(key);
  };
  input.setRawMode(true);
  input.on('data', hear);
  input.resume();
  return () => {
    input.off('data', hear);
    input.setRawMode(false);
    input.pause();
  };
};

/** Makes the view of a run. */
export const createDashboard = (parts: DashboardParts): Dashboard => {
  const { out, input, durationSeconds, users, canScale } = parts;
  const isDrawn = out.isTTY === true && !parts.isPlain;
  const seconds: SecondResult[] = [];
  let view: LiveView = {
    users,
    durationSeconds,
    isSteady: false,
    factor: 1,
    hasKeys: false,
    canScale,
    isEnding: false,
  };
  let lines = 0;
  let restore: (() => void) | undefined;

  const erase = (): void => {
    if (lines > 0) out.write(`${control}${lines}A${control}0J`);
    lines = 0;
  };

  const draw = (): void => {
    const block = blockOf(seconds, view, out.columns || columnsUnknown);
    erase();
    out.write(block.map((line) => `${line}\n`).join(''));
    lines = block.length;
  };

  const onKey = (key: string, controls: Controls): void => {
    if (key === 'q' || key === '\x03') {
      view = { ...view, isEnding: true };
      parts.stop();
    }
    const wanted = { '+': view.factor * keyFactor, '=': view.factor * keyFactor, '-': view.factor / keyFactor }[key];
    if (wanted !== undefined && canScale) {
      view = { ...view, factor: Math.min(factorMax, Math.max(factorMin, wanted)) };
      controls.scale(view.factor);
    }
    draw();
  };

  /** Gives the terminal back. It may be called at any time, and more than once. */
  const giveBack = (): void => {
    restore?.();
    restore = undefined;
  };

  return {
    say: (text) => {
      erase();
      out.write(`${printable(text)}\n`);
    },
    start: (controls) => {
      if (!isDrawn) return;
      const stopListening = input.isTTY === true ? listen(input, (key) => onKey(key, controls)) : undefined;
      view = { ...view, hasKeys: stopListening !== undefined };
      out.write(hideCursor);
      restore = () => {
        stopListening?.();
        out.write(showCursor);
      };
      // Whatever ends this process: a terminal that shows neither keys nor cursor is a nuisance.
      atExit(giveBack);
    },
    show: (second, isSteady, sampler) => {
      seconds.push(second);
      view = { ...view, isSteady };
      if (isDrawn) draw();
      else if (second.t_s % plainEverySeconds === 0)
        out.write(`${plainLine(seconds, sampler.last(plainEverySeconds), isSteady, durationSeconds)}\n`);
    },
    end: () => {
      erase();
      giveBack();
    },
  };
};
