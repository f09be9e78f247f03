/**
 * The window by which a run is judged.
 * @module
 */
import type { RunResult } from '../results/result.ts';
import type { WindowResult } from '../results/window-result.ts';

/** The steady window, or the whole run where that is missing or too short to speak for it. */
export const judgedWindow = ({ judged, steady, whole }: RunResult): WindowResult =>
  judged === 'steady' && steady !== null ? steady : whole;
