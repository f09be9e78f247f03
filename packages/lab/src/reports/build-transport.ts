/**
 * From the measurements of connections to the result.
 * @module
 */

import type { TransportResult } from '../results/transport-result.ts';
import { timesOf } from './build-window.ts';
import type { Gathered } from './gathered.ts';

/** Builds it. */
export const buildTransport = ({ transport, options }: Gathered): TransportResult => {
  const isTls = options.target.startsWith('https:');
  return {
    connect: timesOf(transport.connect),
    tls_handshake: isTls ? timesOf(transport.handshake) : null,
    is_certificate_checked: isTls ? !options.insecure : null,
    repeated_requests: transport.repeated,
    truncated_bodies: transport.truncated,
    surplus_answers: transport.surplus,
  };
};
