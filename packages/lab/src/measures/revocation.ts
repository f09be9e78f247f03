/**
 * How fast revocations take effect, beside the latencies of the requests.
 * @module
 */
import { Histogram } from '../statistics/histogram.ts';

/** Measures the revocations of a run; from its steady window on, where there is one. */
export class RevocationMeasure {
  /** Logout sent (in the open model: its intended start) until its answer, 200 or 202. */
  readonly logout = new Histogram();
  /**
   * Answer 200 until the last worker's refusal was in, one verify having been sent at once to each.
   */
  readonly rejection = new Histogram();
  /** Logout sent until the first refusal of the slowest worker, of the probed ones. */
  readonly propagation = new Histogram();
  /** Workers that went on accepting a probed token for as long as the probe waited. */
  unrefused = 0;
  /**
   * Questions about dead tokens that another worker answered than was asked, or none: the one asked
   * had gone.
   */
  lostWorkers = 0;

  /** Forgets what came before. */
  restart(): void {
    for (const histogram of [this.logout, this.rejection, this.propagation]) histogram.reset();
  }
}
