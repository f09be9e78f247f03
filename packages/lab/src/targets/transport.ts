/**
 * Connections beside the requests: the time to open them, and how the lab keeps its share of the
 * transport out of the target's figures.
 * @module
 */
import { Histogram, type HistogramDump } from '../statistics/histogram.ts';

/** The same as it travels between processes. */
export interface TransportDump {
  readonly connect: HistogramDump;
  readonly handshake: HistogramDump;
  readonly repeated: number;
  readonly truncated: number;
  readonly surplus: number;
}

/** Counts for all connections that share it. */
export class TransportMeasure {
  /** Times of opened connections until TCP had connected, the look-up of the host name included. */
  readonly connect = new Histogram();
  /** Times of handshakes of TLS. */
  readonly handshake = new Histogram();
  /**
   * Requests sent a second time, because the target closed an idle connection as the request came.
   */
  repeated = 0;
  /** Answers whose bodies were longer than the lab keeps. */
  truncated = 0;
  /** Answers with bytes behind them. */
  surplus = 0;

  /** Hands over the counts since the last call, and starts again at zero. */
  take(): TransportDump {
    const { connect, handshake, repeated, truncated, surplus } = this;
    const dump = { connect: connect.dump(), handshake: handshake.dump(), repeated, truncated, surplus };
    connect.reset();
    handshake.reset();
    this.repeated = 0;
    this.truncated = 0;
    this.surplus = 0;
    return dump;
  }

  /** Adds the counts of others. */
  absorb({ connect, handshake, repeated, truncated, surplus }: TransportDump): void {
    this.connect.absorb(connect);
    this.handshake.absorb(handshake);
    this.repeated += repeated;
    this.truncated += truncated;
    this.surplus += surplus;
  }
}
