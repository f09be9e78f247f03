/**
 * Times and events of the connections in the result.
 * @module
 */
import type { TimesResult } from './window-result.ts';

/**
 * Connections over the whole run. None of these times stands in a latency, which counts from the
 * writing of a request.
 */
export interface TransportResult {
  /**
   * Until TCP had connected, the look-up of the host name included; its count is that of the
   * connections opened.
   */
  readonly connect: TimesResult;
  /** Handshakes of TLS; `null` for a target without TLS. */
  readonly tls_handshake: TimesResult | null;
  /** Whether the target's certificate was checked; `null` without TLS. */
  readonly is_certificate_checked: boolean | null;
  /**
   * Requests that were sent once more, because the target closed an idle connection as they came.
   */
  readonly repeated_requests: number;
  /**
   * Answers whose bodies were longer than the lab keeps. They were read to their end, and their
   * bytes counted.
   */
  readonly truncated_bodies: number;
  /** Answers with bytes behind them: the answers count, their connections were closed. */
  readonly surplus_answers: number;
}
